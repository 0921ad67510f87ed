// Long after a commit: people are asked whether the staged points of a group may be deleted, for as long as it takes. Only
// what they approve is deleted; what they do not is asked about again later. Sources are theirs to remove.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { deletePoints, outlineDecommission, recordDeleted, settleDecommission } from './decommission/activities.ts';
import { giveBack } from './environment.ts';
import { type GateResult, passGateAfterwards } from './gate.ts';
import { leaseEnvironment } from './journal/leases/activities.ts';
import { succeeded, WorkOutcome, workOutcome } from './outcome.ts';
import { type Taken, take } from './saga.ts';
import { targetIam } from './steps/01-target-iam/step.ts';
import { untilDone } from './walkBack.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  environmentId: z.string(),
});
type Input = z.infer<typeof Input>;

/** The points of one workload, by a child of its own. */
export const discard = defineOrchestrator({
  name: 'discard',
  input: z.strictObject({
    ...{ waveId: z.string(), workloadId: z.string(), gateId: z.string() },
    ...{ by: z.array(z.string()), reason: z.string() },
  }),
  output: WorkOutcome,
  *run(ctx, { waveId, workloadId, gateId, by, reason }) {
    return yield* workOutcome(
      (function* () {
        yield* deletePoints.call(ctx, { waveId, workloadId, gateId });
        const operationId = ctx.operationId('discarded');
        yield* recordDeleted.call(ctx, { waveId, workloadIds: [workloadId], operationId, by, reason });
      })(),
    );
  },
});

export const decommission = defineOrchestrator({
  name: 'decommission',
  input: Input,
  output: z.strictObject({ deleted: z.array(z.string()), kept: z.array(z.string()) }),
  *run(ctx, input) {
    const { waveId, groupId } = input;
    const { workloadIds, question } = yield* outlineDecommission.call(ctx, { waveId, groupId });
    const gate =
      workloadIds.length === 0
        ? nobodyAsked
        : yield* passGateAfterwards(ctx, { waveId, groupId, workloadIds, question }, gateIdOf(ctx));
    const approved = gate.status === 'approved' ? gate.approved : [];
    const deleted = approved.length > 0 && (yield* discardAll(ctx, input, gate, approved)) ? approved : [];
    const kept = workloadIds.filter((id) => !deleted.includes(id));
    const operationId = ctx.operationId('settled');
    const reason = `kept: ${wordsOf(gate) || gate.status}`.slice(0, 1000);
    const { instanceId } = ctx;
    yield* settleDecommission.call(ctx, { waveId, groupId, operationId, instanceId, deleted, kept, reason });
    return { deleted, kept };
  },
});

const nobodyAsked: GateResult = { status: 'notRequired', approved: [], decisions: [] };

/** Deletes under a lease, with the rights of step 1; false where people have called that off instead of mending what failed. */
function* discardAll(ctx: Ctx, input: Input, gate: GateResult, workloadIds: string[]): Flow<boolean> {
  const { waveId, environmentId } = input;
  const lease = { waveId, environmentId, holder: ctx.instanceId };
  const subject = { waveId, workloadIds: [] };
  const taken: Taken[] = [];
  yield* leaseEnvironment.call(ctx, lease);
  try {
    yield* take(ctx, taken, targetIam, { environmentId }, subject);
    const by = gate.decisions.filter(({ decision }) => decision === 'approve').map((each) => each.by);
    const reason = wordsOf(gate);
    const said = { gateId: gateIdOf(ctx), by, reason };
    const todo = workloadIds.map((id) => `delete the staging blobs of ${id} with their snapshots`);
    const byHand = yield* untilDone(ctx, 'decommission', subject, ['discard'], todo, function* () {
      yield* discardEach(ctx, waveId, workloadIds, said);
    });
    if (byHand !== undefined) {
      const operationId = ctx.operationId('byHand');
      yield* recordDeleted.call(ctx, { waveId, workloadIds, operationId, by: [byHand.by], reason: byHand.reason });
    }
    return true;
  } catch (error) {
    if (error instanceof Interrupted) return false;
    throw error;
  } finally {
    yield* ctx.shielded(giveBack(ctx, lease, taken));
  }
}

function* discardEach(
  ctx: Ctx,
  waveId: string,
  workloadIds: readonly string[],
  said: { gateId: string; by: string[]; reason: string },
): Flow<WorkOutcome[]> {
  const turn = ctx.nextCount('discard');
  const members = workloadIds.map((workloadId) => ({
    instanceId: `discard-${ctx.instanceId}.${workloadId}-${turn}`,
    input: { waveId, workloadId, ...said },
  }));
  return succeeded(yield* inCrews(ctx, discard, [members], { waveId, id: `crew-${ctx.instanceId}-discard` }));
}

const gateIdOf = ({ instanceId }: Ctx): string => `gate.${instanceId}`;

function wordsOf({ decisions }: GateResult): string {
  return decisions
    .map(({ by, decision, comment }) => `${decision} by ${by}${comment === '' ? '' : `: ${comment}`}`)
    .join('; ');
}
