// Rows as text: one line for one run, and the table of a whole bench.
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
