// What the window's end means for a cutover that is under way.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import { Failure } from '../../../shared/errors.ts';
import { hashOf } from '../../../shared/hash.ts';
import { OnOverrun } from '../../../shared/model/window.ts';
import { instancesOf } from '../../../shared/policy/addressees.ts';
import { judgeBeginning } from '../../../shared/store/fits.ts';
import { waveOf } from '../../../shared/store/plans.ts';

/** Who orders it then. */
export const windowPolicy = 'window policy';

/** Orders a group's cutover back, as a person would: the group and the children of the batch hear it. */
export const orderBack = defineActivity({
  name: 'orderBack',
  input: z.strictObject({
    ...{ waveId: z.string(), groupId: z.string(), workloadIds: z.array(z.string()) },
    ...{ operationId: z.string(), reason: z.string() },
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId, workloadIds, operationId, reason }) {
    const wave = await waveOf(store, waveId);
    const [id, at] = [`control.${hashOf(operationId).slice(0, 32)}`, now()];
    const signal = { action: 'rollback', to: 'replicating', by: windowPolicy, reason, id, at } as const;
    const instanceIds = instancesOf(wave, [{ id: groupId }], workloadIds);
    await store.controls.put({ id, kind: 'control', waveId, instanceIds, signal, at });
    return null;
  },
});

/** Tells that the watch over a window has failed: nobody may have been told that the window has closed. */
export const recordWatchFailed = defineActivity({
  name: 'recordWatchFailed',
  input: z.strictObject({
    ...{ waveId: z.string(), groupId: z.string(), operationId: z.string() },
    ...{ closes: z.string(), failure: Failure },
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, operationId, ...data }) {
    const type = 'landfall.window.watchFailed';
    await store.journal.append(waveId, [{ id: operationId, time: now(), source: 'platform', type, operationId, data }]);
    return null;
  },
});

/**
 * Whether what cannot be taken back for free may begin: what is left of the cutover, and the way back where the plan has
 * one from there, still end inside the window; or people have answered the question that this step asked about it with a
 * retry. `notAfter`: the latest safe start.
 */
export const withinWindow = defineActivity({
  name: 'withinWindow',
  input: z.strictObject({
    ...{ waveId: z.string(), workloadIds: z.array(z.string()) },
    ...{ step: z.string(), part: z.enum(['shutdown', 'traffic']) },
  }),
  output: z.strictObject({
    may: z.boolean(),
    notAfter: z.string().optional(),
    onOverrun: OnOverrun,
    reason: z.string(),
  }),
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadIds, step, part }) {
    const { plan, late, notAfter } = await judgeBeginning(store, { waveId, workloadIds, part }, now());
    const { onOverrun } = plan;
    if (late === undefined) return { may: true, notAfter, onOverrun, reason: '' };
    const { startedAt = '' } = await waveOf(store, waveId);
    const asked = (await store.attentions.list(waveId)).filter(
      (each) => each.step === step && each.failure.code === 'windowClosed' && each.openedAt >= startedAt,
    );
    const goOn = asked.some(
      (each) => each.answer?.choice === 'retry' && workloadIds.every((id) => each.workloadIds.includes(id)),
    );
    return { may: goOn, onOverrun, reason: `${workloadIds.join(', ')} runs past its window: ${late}` };
  },
});
