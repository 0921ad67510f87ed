// From the syncs that a workload has had: how fast it changes, how fast that is carried, and what a sync costs besides.
import type { SyncRun } from '../../lifecycle/state.ts';
import { assumed } from './assumptions.ts';
import { type Estimate, estimate } from './estimate.ts';

/** How a workload replicates. */
export interface Rates {
  /** Bytes that change per second. */
  churn: { expected: number; high: number };
  /** Bytes per second that its appliance has carried at best. */
  throughput: number;
  /** What a sync takes besides carrying: reading the disks, verifying, being dispatched. */
  overhead: Estimate;
  /** How many deltas this is known from; with none it is assumed. */
  deltas: number;
}

/** Weight of the newest value in the moving average. */
const newest = 0.3;
const percentile = 0.95;
/** With so few deltas the highest of them says little. */
const fewDeltas = 3;
const fewFactor = 1.5;

export function ratesOf(runs: readonly SyncRun[], diskBytes: number): Rates {
  const throughput =
    Math.max(0, ...runs.map(({ changedBytes, seconds }) => changedBytes / Math.max(seconds, 0.001))) ||
    assumed.transfer;
  const deltas = runs.filter(({ kind, sinceSeconds = 0 }) => kind === 'delta' && sinceSeconds > 0);
  if (deltas.length === 0) return { ...untried(runs, diskBytes), throughput, deltas: 0 };
  const churn = deltas.map(({ changedBytes, sinceSeconds = 0 }) => changedBytes / sinceSeconds);
  const overhead = deltas.map(({ changedBytes, seconds }) => Math.max(0, seconds - changedBytes / throughput));
  const factor = deltas.length < fewDeltas ? fewFactor : 1;
  return {
    churn: { expected: movingAverage(churn), high: highOf(churn) * factor },
    throughput,
    overhead: estimate(movingAverage(overhead), highOf(overhead) * factor),
    deltas: deltas.length,
  };
}

/** Before the first delta: churn is assumed, and the disks are read as fast as the initial sync read them. */
function untried(runs: readonly SyncRun[], diskBytes: number): Pick<Rates, 'churn' | 'overhead'> {
  const initial = runs.find(({ kind, seconds }) => kind === 'initial' && seconds > 0);
  const read = initial === undefined ? assumed.read : Math.max(1, initial.readBytes / initial.seconds);
  const { expected, high } = assumed.churnPerDay;
  return {
    churn: { expected: (diskBytes * expected) / 86_400, high: (diskBytes * high) / 86_400 },
    overhead: estimate(diskBytes / read, (diskBytes / read) * fewFactor),
  };
}

/** Exponentially weighted, oldest first. */
export function movingAverage(values: readonly number[]): number {
  return values.reduce((average, value, index) => (index === 0 ? value : average + newest * (value - average)), 0);
}

/** A high percentile (nearest rank), and never less than the moving average. */
export function highOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.max(sorted[Math.ceil(percentile * sorted.length) - 1] ?? 0, movingAverage(values));
}

/** Whether deltas ever catch up: what changes while one second's changes are carried must be less than these. */
export function converges({ churn, throughput }: Pick<Rates, 'churn' | 'throughput'>): boolean {
  return churn.expected < throughput;
}

/**
 * The final delta of what has changed in a time, and the second one that verifies that nothing remains. Nothing changes
 * meanwhile: services are stopped.
 */
export function finalDelta({ churn, throughput, overhead }: Rates, sinceMs: number, diskBytes: number): Estimate {
  const carry = (rate: number) => Math.min((rate * sinceMs) / 1000, diskBytes) / throughput;
  const { expectedMs, highMs } = estimate(carry(churn.expected), carry(Math.max(churn.expected, churn.high)));
  return { expectedMs: expectedMs + 2 * overhead.expectedMs, highMs: highMs + 2 * overhead.highMs };
}
