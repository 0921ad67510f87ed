import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { backOff } from '../../../shared/durable/waits.ts';
import { terminal } from '../../../shared/errors.ts';
import { enterPhase } from '../../journal/activities.ts';
import { inTime } from '../../inTime.ts';
import { stopSync } from '../../syncs/activities.ts';
import { runSync } from '../../syncs.ts';
import { captureByHand, offByHand, onByHand } from './byHand.ts';
import { inspectMachine, MachineState, remains, setNic, setPower, shutdownPolicy } from './activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}
const mostFinalSyncs = 3;
const pollMs = 500;
const ShutdownChanges = z.strictObject({
  onShutdownRefused: z.enum(['force', 'abort']).optional(),
  withinSeconds: z.int().min(1).max(7200).optional().describe('how long to wait for a graceful shutdown'),
});

/** Step 10: the final sync until nothing remains, then the source goes off through its host and off the network. */
export const finalDelta = defineStep({
  number: 10,
  name: 'finalDelta',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: MachineState.extend({
    ports: z.array(z.strictObject({ host: z.string(), port: z.int() })).optional(),
  }),
  output: z.strictObject({
    bytes: z.number(),
    root: z.string(),
    syncs: z.number(),
    power: z.literal('off'),
    forced: z.boolean(),
  }),
  *capture(ctx, workload, attempt) {
    const machine = yield* inspectMachine.call(ctx, workload);
    return machine.told === undefined ? machine : yield* captureByHand(ctx, workload, machine, attempt);
  },
  changes: { schema: ShutdownChanges, needs: 'operator' },
  *run(ctx, { waveId, workloadId }, before, attempt, changed) {
    const workload = { waveId, workloadId };
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId: ctx.operationId('final', attempt),
      phase: 'finalSync',
      reason: 'services are stopped',
    });
    const off = yield* copiedBefore(ctx, workload);
    const synced = off ?? (yield* syncUntilNothingRemains(ctx, workload, attempt));
    const goOff = (notAfter?: string) => takeOff(ctx, workload, before, changed ?? {}, notAfter);
    const lastLook = { waveId, workloadIds: [workloadId], step: 'finalDelta', part: 'shutdown' as const };
    const forced = yield* off === undefined ? inTime(ctx, lastLook, goOff) : goOff();
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId: ctx.operationId('off', attempt),
      phase: 'sourceOff',
      reason: 'the source is off and disconnected',
    });
    return { ...synced, power: 'off' as const, forced };
  },
  *verify(ctx, workload) {
    const machine = yield* inspectMachine.call(ctx, workload);
    if (machine.power === 'off' && !machine.nicConnected) return machine;
    throw terminal(
      'shutdownRefused',
      `${workload.workloadId} is ${machine.power} and its network is ${machine.nicConnected ? 'connected' : 'disconnected'} although it was switched off.`,
      'Find what powers it on, keep that from it, then retry; or roll back.',
    );
  },
  *undo(ctx, workload, before) {
    yield* stopSync.call(ctx, {
      ...workload,
      operationId: ctx.operationId('stopSync', workload.workloadId),
      reason: 'the cutover is rolled back',
    });
    if (before.told !== undefined) return yield* onByHand(ctx, workload, before);
    yield* setNic.call(ctx, { ...workload, connected: before.nicConnected });
    if (before.power === 'off') return;
    yield* setPower.call(ctx, { ...workload, action: 'on' });
    if (!(yield* untilPower(ctx, workload, 'on', 600)))
      throw terminal(
        'sourceUnreachable',
        `${workload.workloadId} did not come back on within 10 minutes.`,
        'Power it on by hand, then retry.',
      );
  },
  todo: ({ workloadId }, before) => [
    `stop the final sync of ${workloadId} at its appliance`,
    ...(before.nicConnected ? [`connect the network of the source of ${workloadId}`] : []),
    ...(before.power === 'on' ? [`power the source of ${workloadId} on`] : []),
  ],
});

/** A source that an earlier try has switched off takes its agent along: nobody could answer to another sync. */
function* copiedBefore(ctx: Ctx, workload: Workload): Flow<{ bytes: number; root: string; syncs: number } | undefined> {
  if ((yield* inspectMachine.call(ctx, workload)).power === 'on') return undefined;
  const { copied, readable } = yield* remains.call(ctx, workload);
  if (copied !== null) return { bytes: 0, root: copied, syncs: 0 };
  if (readable) return undefined;
  throw terminal(
    'sourceUnreachable',
    `${workload.workloadId} is off, and its last bytes were not copied before.`,
    'Power it on with its services stopped, then retry; or roll back.',
  );
}

function* syncUntilNothingRemains(
  ctx: Ctx,
  workload: Workload,
  attempt: number,
): Flow<{ bytes: number; root: string; syncs: number }> {
  let bytes = 0;
  for (let turn = 1; turn <= mostFinalSyncs; turn++) {
    const sync = yield* runSync(ctx, workload, 'final', attempt, turn);
    const changed = sync.disks.reduce((sum, disk) => sum + disk.changedBytes, 0);
    bytes += changed;
    if (turn > 1 && changed === 0) return { bytes, root: sync.root, syncs: turn };
  }
  throw terminal(
    'syncFailed',
    `The disks of ${workload.workloadId} still change although its services are stopped.`,
    'Find what writes on the source, stop it, then retry; or roll back.',
  );
}

/** Takes the source off, and off the network: through its host, or by people. Returns whether its power had to be cut. */
function* takeOff(
  ctx: Ctx,
  workload: Workload,
  before: Parameters<typeof offByHand>[2],
  changed: z.infer<typeof ShutdownChanges>,
  notAfter: string | undefined,
): Flow<boolean> {
  if (before.told !== undefined) {
    yield* offByHand(ctx, workload, before, notAfter);
    return false;
  }
  const forced = yield* switchOff(ctx, workload, changed, notAfter);
  yield* setNic.call(ctx, { ...workload, connected: false });
  return forced;
}

/**
 * Asks for a graceful shutdown, waits, and follows the plan, or what people have changed for this attempt, when it is
 * refused. Returns whether power had to be cut; fails with `windowClosed`, and nothing was asked, after `notAfter`.
 */
function* switchOff(
  ctx: Ctx,
  workload: Workload,
  changed: z.infer<typeof ShutdownChanges>,
  notAfter: string | undefined,
): Flow<boolean> {
  const planned = yield* shutdownPolicy.call(ctx, workload);
  const { withinSeconds = planned.withinSeconds, onShutdownRefused: onRefused = planned.onRefused } = changed;
  const limit = notAfter === undefined ? {} : { notAfter };
  yield* setPower.call(ctx, { ...workload, action: 'shutDown', ...limit });
  if (yield* untilPower(ctx, workload, 'off', withinSeconds)) return false;
  if (onRefused === 'abort')
    throw terminal(
      'shutdownRefused',
      `${workload.workloadId} did not shut down within ${withinSeconds} s.`,
      'Shut it down by hand and retry, retry with onShutdownRefused "force", or roll back.',
    );
  yield* setPower.call(ctx, { ...workload, action: 'cut' });
  if (yield* untilPower(ctx, workload, 'off', 60)) return true;
  throw terminal(
    'shutdownRefused',
    `${workload.workloadId} is still on after its power was cut.`,
    'Look at its host, then retry or roll back.',
  );
}

function* untilPower(ctx: Ctx, workload: Workload, wanted: 'on' | 'off', withinSeconds: number): Flow<boolean> {
  const giveUp = Date.parse(ctx.now()) + withinSeconds * 1000;
  for (let poll = 0; ; poll++) {
    if ((yield* inspectMachine.call(ctx, workload)).power === wanted) return true;
    if (Date.parse(ctx.now()) >= giveUp) return false;
    yield* backOff(ctx, Math.min(30_000, pollMs * 2 ** poll));
  }
}
