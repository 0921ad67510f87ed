// What this engine is wanted to reach, computed from the medians of one run.
import type { Row } from './row.ts';

interface Wanted {
  what: string;
  value: number | undefined;
  least?: number;
  most?: number;
  unit: string;
}

type Lookup = (candidate: string, n: number) => Row | undefined;

/** One line for each wanted figure whose rows were measured. */
export function wantedLines(lookup: Lookup): string[] {
  return wanted(lookup).flatMap(({ what, value, least, most, unit }) => {
    if (value === undefined) return [];
    const met = (least === undefined || value >= least) && (most === undefined || value <= most);
    const bound = least !== undefined ? `at least ${least}` : most !== undefined ? `at most ${most}` : undefined;
    const verdict = bound === undefined ? 'for comparison' : `wanted ${bound}: ${met ? 'met' : 'NOT MET'}`;
    return [`${what}: ${value.toFixed(2)}${unit} (${verdict})`];
  });
}

function wanted(lookup: Lookup): Wanted[] {
  const speeds = (one: Row | undefined, other: Row | undefined) =>
    one && other && one.workflowsPerSecond / other.workflowsPerSecond;
  const versus = (ours: string, peer: string, n: number, least?: number): Wanted => ({
    what: `wf/s, ${ours} / ${peer}, n=${n}`,
    value: speeds(lookup(ours, n), lookup(peer, n)),
    ...(least !== undefined && { least }),
    unit: 'x',
  });
  const both = ['ours-memory', 'ours-durable'];
  return [
    ...[200, 1000].map((n) => versus('ours-durable', 'restate-promises', n, 2)),
    ...[200, 1000].map((n) => versus('ours-durable', 'restate-awakeables', n)),
    ...[200, 1000].map((n) => versus('ours-memory', 'durabletask-js', n, 0.8)),
    { what: 'step p50, ours-durable, n=1', value: lookup('ours-durable', 1)?.stepP50, most: 1.5, unit: ' ms' },
    ...both.flatMap((name) =>
      [1, 200, 1000, 10_000].map((n) => ({
        what: `CPU a step, ${name}, n=${n}`,
        value: lookup(name, n)?.cpuPerStep,
        most: 0.6,
        unit: ' ms',
      })),
    ),
    ...both.map((name) => ({
      what: `wf/s, ${name}, n=10000 / n=1000`,
      value: speeds(lookup(name, 10_000), lookup(name, 1000)),
      least: 0.8,
      unit: 'x',
    })),
    ...both.map((name) => ({
      what: `peak memory, ${name}, n=10000`,
      value: lookup(name, 10_000)?.nodeMegabytes,
      most: 300,
      unit: ' MB',
    })),
  ];
}
