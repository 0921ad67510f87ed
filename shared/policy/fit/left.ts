// What is left of a cutover that is under way: the parts that a workload has behind it take no more time.
import { Phase } from '../../lifecycle/phases.ts';
import type { WorkloadState } from '../../lifecycle/state.ts';
import type { WorkloadParts } from './downtime.ts';
import { noTime } from './estimate.ts';

/** The parts of a workload's cutover, in order. */
const order = [
  'stopServices',
  'finalDelta',
  'shutdown',
  'diskImport',
  'boot',
  'actions',
  'traffic',
  'checks',
] as const satisfies readonly (keyof WorkloadParts)[];
export type Part = (typeof order)[number];

/** The first part that may not be over yet, by phase; before these phases none is. */
const firstLeft: Partial<Record<Phase, Part>> = {
  [Phase.finalSync]: 'finalDelta',
  [Phase.sourceOff]: 'diskImport',
  [Phase.launching]: 'diskImport',
  [Phase.trafficMoved]: 'traffic',
  [Phase.validating]: 'checks',
};

/** The part that a workload has not got over yet, as far as its phase tells. */
export function partOf({ phase, remembered }: Pick<WorkloadState, 'phase' | 'remembered'>): Part {
  return firstLeft[remembered ?? phase] ?? 'stopServices';
}

/** The parts from one on. The way back stays whole, and what has been copied needs to catch up no more. */
export function leftFrom(parts: WorkloadParts, from: Part): WorkloadParts {
  const over = order.slice(0, order.indexOf(from));
  const done = Object.fromEntries(over.map((part) => [part, noTime]));
  return { ...parts, ...done, converges: parts.converges || over.includes('finalDelta') };
}
