// The parts of one workload's cutover and of its way back: measured where it was done before, assumed where not.
import { actionOf } from '../../actions/all.ts';
import type { WorkloadState } from '../../lifecycle/state.ts';
import type { WorkloadPlan } from '../../model/plan.ts';
import { diskBytesOf, gapMs } from '../cadence.ts';
import { durationMs, msBetween } from '../duration.ts';
import { assumed, checkTime } from './assumptions.ts';
import { type Estimate, estimate, inParallel, inSequence, noTime, times } from './estimate.ts';
import { converges, finalDelta, type Rates, ratesOf } from './rates.ts';

/** What a prediction needs to know of a workload. */
export interface Facts {
  plan: Pick<WorkloadPlan, 'workloadId' | 'source' | 'settings'>;
  state: Pick<WorkloadState, 'points' | 'syncRuns' | 'launched' | 'steps' | 'ttl'>;
}

export interface WorkloadParts {
  workloadId: string;
  rates: Rates;
  converges: boolean;
  stopServices: Estimate;
  finalDelta: Estimate;
  shutdown: Estimate;
  diskImport: Estimate;
  boot: Estimate;
  /** Those before traffic moves, and those that move it. */
  actions: Estimate;
  traffic: Estimate;
  checks: Estimate;
  /** The way back: its actions put back and its target away; its source on and its services started. */
  undoTarget: Estimate;
  undoSource: Estimate;
}

/** What was measured once may take half as long again. */
const measuredFactor = 1.5;

export function partsOf({ plan, state }: Facts, now: string): WorkloadParts {
  const { source, settings } = plan;
  const diskBytes = diskBytesOf(source);
  const rates = ratesOf(state.syncRuns, diskBytes);
  const actions = settings.cutover.actions.map((action) => ({
    ...actionOf(action),
    moves: actionOf(action).movesTraffic(action),
  }));
  const timeOf = (moving: boolean): Estimate =>
    inSequence(actions.flatMap(({ moves, time }) => (moves === moving ? [time] : [])));
  const services = source.services.length;
  return {
    workloadId: plan.workloadId,
    rates,
    converges: converges(rates),
    stopServices:
      measured(state.steps['stopServices']?.seconds) ??
      inSequence([assumed.command, times(assumed.stopService, services)]),
    finalDelta: finalDelta(rates, dataAgeMs(state, settings.sync, rates, now), diskBytes),
    shutdown: shutdownOf(settings.cutover),
    diskImport:
      measured(state.launched?.importSeconds) ?? inParallel(source.disks.map(({ sizeBytes }) => importOf(sizeBytes))),
    boot: measured(state.launched?.bootSeconds) ?? assumed.boot,
    actions: timeOf(false),
    traffic: timeOf(true),
    checks: inSequence(settings.validation.checks.map(checkTime)),
    undoTarget: inSequence([...actions.map(({ undoTime }) => undoTime), assumed.destroy]),
    undoSource: inSequence([assumed.powerOn, assumed.command, times(assumed.startService, services)]),
  };
}

function measured(seconds: number | undefined): Estimate | undefined {
  return seconds === undefined ? undefined : estimate(seconds, seconds * measuredFactor);
}

/** How old the newest replicated data will be when services stop: a cadence and a sync, or what it is now, if that is more. */
function dataAgeMs(
  { points }: Facts['state'],
  sync: WorkloadPlan['settings']['sync'],
  rates: Rates,
  now: string,
): number {
  const last = points.at(-1);
  const regular = gapMs(sync, rates, now) + rates.overhead.highMs;
  return last === undefined ? regular : Math.max(regular, msBetween(last.startedAt, now));
}

function shutdownOf({ shutdownWithin, onShutdownRefused }: WorkloadPlan['settings']['cutover']): Estimate {
  const within = durationMs(shutdownWithin);
  const graceful: Estimate = { expectedMs: Math.min(assumed.shutdown.expectedMs, within), highMs: within };
  return inSequence([graceful, onShutdownRefused === 'force' ? assumed.cutPower : noTime]);
}

function importOf(sizeBytes: number): Estimate {
  const { expected, high } = assumed.diskImport;
  return inSequence([assumed.diskCreation, estimate(sizeBytes / expected, sizeBytes / high)]);
}
