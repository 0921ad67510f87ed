import { z } from 'zod';
import { all, type Ctx, type Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { enterPhase } from '../../journal/activities.ts';
import { phaseOf } from '../../journal/reads/activities.ts';
import { quarantineMachine } from '../../machines/activities.ts';
import { destroy, launch } from '../../machines.ts';
import {
  applyAction,
  captureRecords,
  listActions,
  quarantineGroupOf,
  RecordBefore,
  restoreRecord,
} from './activities.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  environmentId: z.string(),
  tiers: z.array(z.array(z.string())),
});
const Applied = z.strictObject({ workloadId: z.string(), action: z.string(), before: z.string(), after: z.string() });

/** Step 11: targets launch behind quarantine in dependency order, then the reversible actions, and last the traffic. */
export const postCutover = defineStep({
  number: 11,
  name: 'postCutover',
  scope: 'group',
  input: Input,
  before: z.strictObject({ records: z.array(RecordBefore) }),
  output: z.strictObject({ actions: z.array(Applied) }),
  *capture(ctx, { waveId, tiers }) {
    return { records: yield* captureRecords.call(ctx, { waveId, workloadIds: tiers.flat() }) };
  },
  *run(ctx, input, _before, attempt) {
    const { waveId, environmentId, tiers } = input;
    const workloadIds = tiers.flat();
    // A retry leaves alone what has traffic already.
    const still = yield* withoutTraffic(ctx, waveId, workloadIds);
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: still,
      operationId: ctx.operationId('launching', attempt),
      phase: 'launching',
      reason: 'sources are off',
    });
    for (const tier of tiers)
      yield* all(only(tier, still).map((workloadId) => launchTarget(ctx, environmentId, { waveId, workloadId })));
    const actions = yield* listActions.call(ctx, { waveId, workloadIds });
    const applied: z.infer<typeof Applied>[] = [];
    for (const { workloadId, index } of actions.filter(({ movesTraffic }) => !movesTraffic)) {
      ctx.safePoint();
      applied.push(yield* applyAction.call(ctx, { waveId, workloadId, index }));
    }
    ctx.safePoint();
    ctx.freeReturn = false;
    // From here on the target may accept writes: the phase says so before the first record changes.
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: still,
      operationId: ctx.operationId('traffic', attempt),
      phase: 'trafficMoved',
      reason: 'traffic moves to the targets',
    });
    for (const { workloadId, index } of actions.filter(({ movesTraffic }) => movesTraffic))
      applied.push(yield* applyAction.call(ctx, { waveId, workloadId, index }));
    return { actions: applied };
  },
  *undo(ctx, { waveId, environmentId, tiers }, { records }) {
    for (const record of records.toReversed()) yield* restoreRecord.call(ctx, { waveId, before: record });
    const workloads = tiers.flat().map((workloadId) => ({ waveId, workloadId }));
    yield* all(workloads.map((workload) => quarantineMachine.call(ctx, workload)));
    yield* all(workloads.map((workload) => destroy(ctx, environmentId, workload, 'cutover')));
  },
});

function only(workloadIds: string[], wanted: string[]): string[] {
  return workloadIds.filter((workloadId) => wanted.includes(workloadId));
}

function* withoutTraffic(ctx: Ctx, waveId: string, workloadIds: string[]): Flow<string[]> {
  const phases = yield* all(workloadIds.map((workloadId) => phaseOf.call(ctx, { waveId, workloadId })));
  return workloadIds.filter((_, index) => phases[index] !== 'trafficMoved');
}

function* launchTarget(ctx: Ctx, environmentId: string, workload: { waveId: string; workloadId: string }): Flow<void> {
  const quarantine = yield* quarantineGroupOf.call(ctx, workload);
  yield* launch(ctx, environmentId, workload, 'cutover', quarantine);
}
