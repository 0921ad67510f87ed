// What a run that really happened has shown, in a file: how long its steps took and how fast its syncs were. It is made
// from a wave's events (`GET /api/waves/{id}/workloads/{wid}/events`, one answer per workload) with `--record`.
import { z } from 'zod';
import { Latencies } from './latencies.ts';

const Step = z.strictObject({ workloadId: z.string(), step: z.string(), seconds: z.number().nonnegative() });
const Sync = z.strictObject({
  workloadId: z.string(),
  kind: z.enum(['initial', 'delta', 'final']),
  seconds: z.number().nonnegative(),
  bytes: z.number().nonnegative(),
  /** Since the sync before ended; none for the first. */
  hoursSince: z.number().nonnegative().optional(),
});

export const RecordedRun = z.strictObject({
  format: z.literal('landfall.recordedRun/1'),
  steps: z.array(Step),
  syncs: z.array(Sync),
});
export type RecordedRun = z.infer<typeof RecordedRun>;

const Event = z.looseObject({ type: z.string(), time: z.string(), data: z.unknown() });
/** An answer of the events route, as far as it is read here. */
export const EventLog = z.looseObject({
  events: z.array(Event),
});
const OfStep = z.looseObject({ step: z.string() });
const Completed = z.looseObject({
  kind: z.enum(['initial', 'delta', 'final']),
  startedAt: z.string(),
  disks: z.array(z.looseObject({ changedBytes: z.number() })),
});

/** Durations of steps and syncs from event logs, by workload. */
export function recordedRun(logs: Readonly<Record<string, z.infer<typeof EventLog>>>): RecordedRun {
  const run: RecordedRun = { format: 'landfall.recordedRun/1', steps: [], syncs: [] };
  for (const [workloadId, { events }] of Object.entries(logs)) {
    const begun = new Map<string, string>();
    let last: string | undefined;
    for (const { type, time, data } of events) {
      if (type === 'landfall.step.started') begun.set(OfStep.parse(data).step, time);
      if (type === 'landfall.step.completed') {
        const { step } = OfStep.parse(data);
        const since = begun.get(step);
        if (since !== undefined) run.steps.push({ workloadId, step, seconds: secondsBetween(since, time) });
      }
      if (type !== 'landfall.sync.completed') continue;
      const { kind, startedAt, disks } = Completed.parse(data);
      const bytes = disks.reduce((sum, { changedBytes }) => sum + changedBytes, 0);
      const hoursSince = last === undefined ? {} : { hoursSince: secondsBetween(last, time) / 3600 };
      run.syncs.push({ workloadId, kind, seconds: secondsBetween(startedAt, time), bytes, ...hoursSince });
      last = time;
    }
  }
  return run;
}

const secondsBetween = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

/** The median, or what stands for it when nothing was recorded. */
function typical(values: readonly number[], otherwise: number): number {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? otherwise;
}

/** A world as fast as the recorded run; what it does not show is as in the standard profile. */
export function latenciesOf({ steps, syncs }: RecordedRun): Latencies {
  const standard = Latencies.parse({});
  const took = (name: string, otherwise: number): number =>
    typical(
      steps.filter(({ step }) => step === name).map(({ seconds }) => seconds),
      otherwise,
    );
  const megabytes = (bytes: number): number => bytes / 1_048_576;
  const bulk = syncs.filter(({ bytes, seconds }) => bytes > 64 * 1_048_576 && seconds > 0);
  const deltas = syncs.filter(({ kind, hoursSince }) => kind === 'delta' && (hoursSince ?? 0) > 0);
  const finals = syncs.filter(({ kind }) => kind === 'final').map(({ seconds }) => seconds);
  return Latencies.parse({
    ...standard,
    applianceStartSeconds: took('migrationAppliance', standard.applianceStartSeconds),
    agentStartSeconds: took('osAgent', standard.agentStartSeconds),
    serviceStopSeconds: took('stopServices', standard.serviceStopSeconds),
    syncMegabytesPerSecond: typical(
      bulk.map(({ bytes, seconds }) => megabytes(bytes) / seconds),
      standard.syncMegabytesPerSecond,
    ),
    syncSeconds: typical(
      syncs.filter(({ bytes }) => bytes <= 64 * 1_048_576).map(({ seconds }) => seconds),
      standard.syncSeconds,
    ),
    churnMegabytesPerHour: typical(
      deltas.map(({ bytes, hoursSince = 1 }) => megabytes(bytes) / hoursSince),
      standard.churnMegabytesPerHour,
    ),
    shutdownSeconds: Math.max(
      1,
      took('finalDelta', standard.shutdownSeconds + 2 * standard.syncSeconds) -
        2 * typical(finals, standard.syncSeconds),
    ),
  });
}
