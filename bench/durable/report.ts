// Rows as text: one line for one run, and the table of a whole bench with medians over its rounds.
import type { Row } from './row.ts';

const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** One run as one line. */
export function formatRow(row: Row): string {
  return [
    `${row.engine} (${row.durability})`,
    `n=${row.n}`,
    `${short(row.workflowsPerSecond)} wf/s`,
    `${short(row.stepsPerSecond)} steps/s`,
    `step ${short(row.stepP50)}/${short(row.stepP99)} ms`,
    `event ${short(row.eventP50)}/${short(row.eventP99)} ms`,
    `CPU ${short(row.cpuPerStep)} ms/step`,
    `${short(row.nodeMegabytes)}/${short(row.serverMegabytes)} MB`,
    `dupSteps ${row.dupSteps}`,
  ].join(', ');
}

/** The runs of one engine and one n as one row: each figure is the median over the runs. */
export function medians(runs: readonly [Row, ...Row[]]): Row {
  const [first] = runs;
  const median = (figure: keyof Row): number => {
    const sorted = runs.map((run) => Number(run[figure])).sort((a, b) => a - b);
    const middle = sorted.length / 2;
    return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  };
  const figures = Object.entries(first).flatMap(([key, value]) =>
    typeof value === 'number' ? [[key, median(key as keyof Row)]] : [],
  );
  return { ...first, ...Object.fromEntries(figures) };
}

const headings = [
  'engine',
  'durability',
  'n',
  'runs',
  'wf/s (best)',
  'steps/s',
  'step p50 / p99 ms',
  'event p50 / p99 ms',
  'CPU ms/step',
  'node / server MB',
];

/** A Markdown table, one line for each engine and n. */
export function formatTable(groups: readonly (readonly [Row, ...Row[]])[]): string {
  const lines = groups.map((runs) => {
    const row = medians(runs);
    return [
      row.engine,
      row.durability,
      String(row.n),
      String(runs.length),
      `${short(row.workflowsPerSecond)} (${short(Math.max(...runs.map((run) => run.workflowsPerSecond)))})`,
      row.stepsPerSecond.toFixed(0),
      `${short(row.stepP50)} / ${short(row.stepP99)}`,
      `${short(row.eventP50)} / ${short(row.eventP99)}`,
      row.cpuPerStep.toFixed(2),
      `${row.nodeMegabytes.toFixed(0)} / ${row.serverMegabytes.toFixed(0)}`,
    ];
  });
  const cells = [headings, headings.map(() => '---'), ...lines];
  return cells.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
