import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { withDependents } from '../shared/policy/batches.ts';
import { enterPhase } from './journal/activities.ts';
import { type Begun, type GroupInput, stayingOf } from './membership.ts';
import { ttlBack } from './ttl.ts';

/** Not now: these go on serving and replicating, and so do all that depend on them; the wave can be started again. */
export function* hold(ctx: Ctx, input: GroupInput, begun: Begun, workloadIds: string[], reason: string): Flow<void> {
  const { waveId, dependencies, attempt } = input;
  const staying = stayingOf(input, begun).flat();
  const members = staying.map((workloadId) => ({ workloadId, dependsOn: dependencies[workloadId] ?? [] }));
  const held = [...withDependents(members, new Set(workloadIds))];
  yield* ttlBack(ctx, { waveId, workloadIds: held }, 'back', reason);
  const operationId = ctx.operationId('held', ctx.nextCount('held'));
  yield* enterPhase.call(ctx, {
    ...{ waveId, workloadIds: held, operationId, phase: 'replicating', reason },
    heldIn: attempt,
  });
  for (const workloadId of held) begun.held.set(workloadId, reason);
}
