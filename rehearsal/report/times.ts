// What a rehearsal says about time: of each workload its steps and its downtime, of the whole the chain that decided how
// long it took, and whether the cutovers fitted their windows.
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import type { World } from '../world/world.ts';
import { type Interval, secondsBetween } from './stepClock.ts';

export interface Times {
  steps: Interval[];
  /** From the first service that stopped until the target, or the source again, serves. */
  downtimes: {
    who: string;
    from: string;
    to: string | undefined;
    seconds: number | undefined;
    window: 'inside' | 'overrun' | 'outside';
  }[];
  /** First to last; each step is the one that ended last before the next began. */
  criticalPath: Interval[];
}

export function timesOf(world: World, intervals: readonly Interval[]): Times {
  const workloads = world.documents<WorkloadDocument>('state');
  const steps = intervals.toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from));
  const downtimes = workloads.flatMap(({ waveId, workloadId, state }) => {
    if (state.downtime === undefined) return [];
    const { began: from, ended: to } = state.downtime;
    const seconds = to === undefined ? undefined : secondsBetween(from, to);
    const window = inWindow(world.wave(waveId), from, to ?? world.capabilities.now());
    return [{ who: `${waveId}/${workloadId}`, from, to, seconds, window }];
  });
  return { steps, downtimes, criticalPath: criticalPath(steps) };
}

function inWindow({ plan }: WaveDocument, from: string, to: string): 'inside' | 'overrun' | 'outside' {
  const [began, ended] = [Date.parse(from), Date.parse(to)];
  const window = plan.windows.find(({ opens, closes }) => Date.parse(opens) <= began && began < Date.parse(closes));
  if (window === undefined) return 'outside';
  return ended <= Date.parse(window.closes) ? 'inside' : 'overrun';
}

/** The steps that the end waited for: from the last one back, each time to the one that ended last before it began. */
function criticalPath(steps: readonly Interval[]): Interval[] {
  const byEnd = steps.toSorted((a, b) => Date.parse(b.to) - Date.parse(a.to));
  const path: Interval[] = [];
  for (const step of byEnd) {
    const next = path[0];
    if (next === undefined || Date.parse(step.to) <= Date.parse(next.from)) path.unshift(step);
  }
  return path;
}
