// What becomes of orders: found by those that did not exist yet, and told where they are not heeded.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import { ControlSignal, Interruption } from '../../../shared/model/control.ts';
import { instancesOf, isFor } from '../../../shared/policy/addressees.ts';
import type { Store } from '../../../shared/store/contract.ts';
import type { UnheededOrder, WaveDocument } from '../../../shared/store/documents.ts';
import { waveOf } from '../../../shared/store/plans.ts';

/** The orders that an orchestration was given before it existed: the feed finds nobody to tell them to then. */
export const ordersFor = defineActivity({
  name: 'ordersFor',
  input: z.strictObject({ waveId: z.string(), instanceId: z.string() }),
  output: z.array(ControlSignal),
  retry: patientRetry,
  async effect({ store }, { waveId, instanceId }) {
    const wave = await waveOf(store, waveId);
    const { startedAt = '' } = wave;
    const orders = await store.controls.list(waveId);
    // The wave's own instance has one id for all attempts: what an earlier one was told is over.
    const mine = orders.filter((order) => isFor(order, instanceId) && order.at >= startedAt);
    const over = await overFor(store, wave, instanceId);
    return mine.map(({ signal }) => signal).filter(({ id }) => id === undefined || !over.has(id));
  },
});

/** Orders that were not heeded by the group that an orchestration works for: a later batch does not heed them either. */
async function overFor(store: Store, wave: WaveDocument, instanceId: string): Promise<Set<string>> {
  const over = new Set<string>();
  for (const { orderId, groupId } of wave.unheeded ?? []) {
    const members = (await store.plans.group(wave.plan, groupId)).tiers.flat();
    if (instancesOf(wave, [{ id: groupId }], members).includes(instanceId)) over.add(orderId);
  }
  return over;
}

/** How many orders that were not heeded a wave's document keeps; the journal has them all. */
const kept = 20;

/** Tells, in the wave and in its journal, that a group does not heed an order to walk back, why not, and what would do. */
export const recordUnheeded = defineActivity({
  name: 'recordUnheeded',
  input: z.strictObject({
    ...{ waveId: z.string(), groupId: z.string(), workloadIds: z.array(z.string()) },
    ...{ operationId: z.string(), order: Interruption },
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId, workloadIds, operationId, order }) {
    const { attempt } = await waveOf(store, waveId);
    const { id: orderId = operationId, action, by, reason, at = now() } = order;
    const unheeded: UnheededOrder = {
      ...{ orderId, groupId, attempt, action, by, reason, at },
      why: `It came when traffic moved to ${workloadIds.join(', ')}: from then on walking back loses what the targets accept, and the order does not accept that.`,
      wayOut: `It is over. Until ${groupId} commits, an approver may order the rollback anew, with "acceptDataLoss": true and a reason (POST /api/waves/${waveId}/rollback, "group": "${groupId}"); what has committed only fails forward.`,
    };
    const put = (wave: WaveDocument): WaveDocument => ({
      ...wave,
      unheeded: [...(wave.unheeded ?? []), unheeded].slice(-kept),
    });
    const type = 'landfall.order.notHeeded';
    const entry = {
      id: operationId,
      time: now(),
      source: 'platform',
      type,
      operationId,
      data: { ...unheeded, workloadIds },
    };
    await store.waves.change(waveId, put, { operationId, entries: [entry] });
    return null;
  },
});
