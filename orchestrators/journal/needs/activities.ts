// What groups wait for in their own wave and in others, and who is told when a group has ended.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import type { Need } from '../../../shared/model/dependency.ts';
import { type Standing, unmetNeeds as unmet } from '../../../shared/policy/unmetNeeds.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { waveOf } from '../../../shared/store/plans.ts';

/** What must still commit before these workloads of a group may cut over. */
export const unmetNeeds = defineActivity({
  name: 'unmetNeeds',
  input: z.strictObject({ waveId: z.string(), groupId: z.string(), workloadIds: z.array(z.string()) }),
  output: z.strictObject({ waitsFor: z.array(z.string()), ended: z.string().nullable() }),
  retry: patientRetry,
  async effect({ store }, { waveId, groupId, workloadIds }) {
    const { plan } = await waveOf(store, waveId);
    const { needs } = await store.plans.group(plan, groupId);
    const { waitsFor, ended } = unmet(waveId, needs, workloadIds, await standingsOf(store, needs));
    return { waitsFor, ended: ended ?? null };
  },
});

async function standingsOf(store: Store, needs: readonly Need[]): Promise<Map<string, Standing>> {
  const standings = new Map<string, Standing>();
  for (const waveId of new Set(needs.map((need) => need.waveId))) {
    const wave = await store.waves.get(waveId);
    if (wave === undefined) continue;
    const pairs = needs.filter((need) => need.waveId === waveId).flatMap((need) => need.pairs ?? []);
    const needed = await store.workloads.some(waveId, [...new Set(pairs.map((pair) => pair.needs))]);
    const workloads = new Map(
      needed.map(({ workloadId, plan, state }) => [workloadId, { phase: state.phase, groupId: plan.groupId }]),
    );
    standings.set(waveId, { groupIds: wave.plan.groups.map(({ id }) => id), groups: wave.groups, workloads });
  }
  return standings;
}

/** Wakes the groups that depend on this one, in whatever wave: each looks for itself at how it ended. */
export const tellDependents = defineActivity({
  name: 'tellDependents',
  input: z.strictObject({
    waveId: z.string(),
    groupId: z.string(),
    operationId: z.string(),
    outcome: z.enum(['committed', 'incomplete', 'rolledBack', 'held', 'failed']),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId, operationId, outcome }) {
    for (const wave of await store.waves.list())
      for (const dependent of wave.plan.groups) {
        const concerned = dependent.needs.some(
          (need) => need.waveId === waveId && (need.groupId ?? groupId) === groupId,
        );
        if (!concerned || wave.attempt === 0) continue;
        await store.signals.toWave(wave.waveId, {
          operationId: `group-${wave.waveId}.${dependent.id}-${wave.attempt}:settled`,
          cause: operationId,
          type: 'landfall.group.settled',
          data: { waveId, groupId, outcome },
          at: now(),
        });
      }
    return null;
  },
});
