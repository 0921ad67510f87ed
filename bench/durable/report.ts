// Rows as text: one line for one run, and the table of a whole bench with medians over its rounds.
import { medians, short, table } from '../table.ts';
import type { Row } from './row.ts';

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
  return table(headings, lines);
}
