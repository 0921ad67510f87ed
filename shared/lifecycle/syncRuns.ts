// What a workload's syncs took and carried, in a few numbers each: longer than its points, for predictions.
import type { ApplianceEventData } from '../protocol/events.ts';
import type { Point, SyncRun } from './state.ts';

/** Half a day of deltas every quarter of an hour. */
const runsKept = 48;

type Completed = ApplianceEventData<'landfall.sync.completed'>;

/** The runs with one more, the latest last; the initial sync, which has carried most, is kept beside the latest others. */
export function withRun(
  runs: readonly SyncRun[],
  previous: Pick<Point, 'startedAt'> | undefined,
  { kind, startedAt, disks }: Completed,
  completedAt: string,
): SyncRun[] {
  const sum = (of: (disk: Completed['disks'][number]) => number) => disks.reduce((total, disk) => total + of(disk), 0);
  const run: SyncRun = {
    kind,
    seconds: secondsBetween(startedAt, completedAt),
    readBytes: sum(({ readBytes }) => readBytes),
    changedBytes: sum(({ changedBytes }) => changedBytes),
    ...(previous === undefined ? {} : { sinceSeconds: secondsBetween(previous.startedAt, startedAt) }),
  };
  const isInitial = (one: SyncRun) => one.kind === 'initial';
  const all = [...runs, run];
  return [...all.filter(isInitial).slice(-1), ...all.filter((one) => !isInitial(one)).slice(-runsKept)];
}

/** An appliance's clock may have been set back meanwhile. */
function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
