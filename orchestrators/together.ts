// One child per workload, in crews: forward, and back.
import { inCrews } from '../shared/durable/crew.ts';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { OrchestratorDefinition } from '../shared/durable/orchestrator.ts';
import type { ChildOutcome } from './child.ts';
import type { Begun, GroupInput } from './membership.ts';
import { prepare } from './prepare.ts';
import type { Taken } from './saga.ts';
import { unwind } from './unwind.ts';

/** Runs one child per workload, tier after tier, and keeps what each began. Whoever rolls back takes the others along. */
export function* together<I>(
  ctx: Ctx,
  { waveId, groupId, attempt }: GroupInput,
  work: OrchestratorDefinition<I, ChildOutcome>,
  tiers: readonly string[][],
  begun: Begun,
  input: (workloadId: string) => I,
): Flow<void> {
  const instanceId = (workloadId: string) => `${work.name}-${waveId}.${workloadId}-${attempt}`;
  const stages = tiers.map((tier) => tier.map((id) => ({ instanceId: instanceId(id), input: input(id) })));
  const id = `crew-${waveId}.${groupId}-${attempt}-${work.name}`;
  const outcomes = yield* inCrews(ctx, work, stages, { waveId, id });
  const taken = work.name === prepare.name ? begun.prepared : begun.cutOver;
  for (const workloadId of tiers.flat()) {
    const outcome = outcomes.get(instanceId(workloadId));
    taken[workloadId] = outcome?.taken ?? [];
    if (outcome?.left !== undefined) begun.left.set(workloadId, outcome.left);
  }
  const signal = [...outcomes.values()].find(({ interrupted }) => interrupted !== undefined)?.interrupted;
  if (signal !== undefined) throw new Interrupted(signal);
}

/** Undoes what the workloads' own children began, tier after tier. */
export function* unwindAll(
  ctx: Ctx,
  { waveId, groupId, attempt }: GroupInput,
  begun: Record<string, Taken[]>,
  tiers: readonly string[][],
  part: 'cutover' | 'prepare',
): Flow<void> {
  const stages = tiers.map((tier) =>
    tier.flatMap((workloadId) => {
      const taken = begun[workloadId] ?? [];
      const instanceId = `unwind-${waveId}.${workloadId}-${attempt}-${part}`;
      return taken.length === 0 ? [] : [{ instanceId, input: { waveId, workloadId, taken } }];
    }),
  );
  yield* inCrews(ctx, unwind, stages, { waveId, id: `crew-${waveId}.${groupId}-${attempt}-unwind-${part}` });
}
