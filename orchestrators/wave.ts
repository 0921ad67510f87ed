// A wave: the environment is made ready once, then the groups move, each when its turn has come.
import { z } from 'zod';
import { all, type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { group } from './group.ts';
import { allSteps } from './itinerary.ts';
import { recordWave } from './journal/activities.ts';
import { leaseEnvironment, releaseEnvironment } from './journal/leases/activities.ts';
import { outlineWave, type WaveOutline } from './journal/reads/activities.ts';
import { type Taken, take, walkBack } from './saga.ts';
import { targetIam } from './steps/01-target-iam/step.ts';
import { migrationAppliance } from './steps/02-migration-appliance/step.ts';
import { sourceWorker } from './steps/03-source-worker/step.ts';

const Input = z.strictObject({ waveId: z.string(), attempt: z.int() });
type Input = z.infer<typeof Input>;
const Outcome = z.strictObject({ status: z.enum(['committed', 'rolledBack', 'cancelled']), reason: z.string() });
type Outcome = z.infer<typeof Outcome>;

export const wave = defineOrchestrator({
  name: 'wave',
  input: Input,
  output: Outcome,
  attempt: (input) => input.attempt,
  *run(ctx, input) {
    const { waveId } = input;
    const outline = yield* outlineWave.call(ctx, { waveId });
    yield* recordWave.call(ctx, { waveId, status: 'running', ended: false });
    const taken: Taken[] = [];
    let result: Outcome;
    let done: boolean;
    try {
      yield* readyEnvironment(ctx, input, outline, taken);
      const groups = yield* all(outline.groups.map((member) => moveGroup(ctx, input, outline, member)));
      const committed = groups.every(({ outcome }) => outcome === 'committed');
      done = groups.every(({ outcome }) => outcome === 'committed' || outcome === 'withdrawn');
      const reason = groups.find(({ outcome }) => outcome !== 'committed')?.reason ?? 'every group committed';
      result = {
        status: committed ? 'committed' : ctx.interruption?.action === 'cancel' ? 'cancelled' : 'rolledBack',
        reason,
      };
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      done = true;
      result = { status: error.signal.action === 'cancel' ? 'cancelled' : 'rolledBack', reason: error.signal.reason };
    }
    if (done) yield* ctx.shielded(leave(ctx, waveId, outline.environmentId, taken));
    yield* recordWave.call(ctx, { waveId, status: result.status, reason: result.reason, ended: true });
    return result;
  },
});

type Outline = z.infer<typeof WaveOutline>;

/** Steps 1-3, under a lease: shared with other waves of the environment. */
function* readyEnvironment(
  ctx: Ctx,
  { waveId }: Input,
  { environmentId, workerSites }: Outline,
  taken: Taken[],
): Flow<void> {
  const subject = { waveId, workloadIds: [] };
  yield* leaseEnvironment.call(ctx, { environmentId, waveId });
  yield* take(ctx, taken, targetIam, { environmentId }, subject);
  yield* take(ctx, taken, migrationAppliance, { environmentId, waveId }, subject);
  for (const siteId of workerSites) yield* take(ctx, taken, sourceWorker, { environmentId, waveId, siteId }, subject);
}

function* moveGroup(
  ctx: Ctx,
  { waveId, attempt }: Input,
  outline: Outline,
  member: Outline['groups'][number],
): ReturnType<typeof group.call> {
  const { environmentId, window, commitPolicy } = outline;
  return yield* group.call(
    ctx,
    { ...member, waveId, attempt, environmentId, window, commitPolicy },
    `group-${waveId}.${member.groupId}-${attempt}`,
  );
}

/** Gives the environment back; the last to leave removes what was made for it. */
function* leave(ctx: Ctx, waveId: string, environmentId: string, taken: Taken[]): Flow<void> {
  const others = yield* releaseEnvironment.call(ctx, { environmentId, waveId });
  if (others === 0) yield* walkBack(ctx, taken, allSteps, { waveId, workloadIds: [] });
}
