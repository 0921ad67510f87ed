// Orders to what runs are documents; the change feed carries them to every orchestration that they name.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { type ControlSignal, withdrawsAll } from '../../shared/model/control.ts';
import { Id } from '../../shared/model/ids.ts';
import { instancesOf, orderTime } from '../../shared/policy/addressees.ts';
import type { Store } from '../../shared/store/contract.ts';
import { type ControlDocument, endedGroups, type WaveDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';

export const Reason = z.string().trim().min(1).max(1000);
/** What an order is for: the whole wave, one group, or single workloads. */
export const Scope = z.strictObject({ group: Id.optional(), workloads: z.array(Id).min(1).max(1000).optional() });

export const underWay: ReadonlySet<WaveDocument['status']> = new Set(['running', 'attention']);

export interface Addressed {
  workloadIds: string[];
  /** The groups that are meant; none, if it is the whole wave. */
  groupIds: string[];
  /** Every orchestration that may run for them in the wave's current attempt. */
  instanceIds: ControlDocument['instanceIds'];
}

/** Whom an order reaches. Names that the wave does not know are refused one by one. */
export async function scopeOf(
  { plans }: Store,
  wave: WaveDocument,
  { group, workloads }: z.infer<typeof Scope>,
): Promise<Addressed> {
  const { waveId, plan, attempt } = wave;
  const possible = (await plans.groups(plan)).filter(({ id }) => group === undefined || id === group);
  const groups = possible.filter(
    ({ tiers }) => workloads === undefined || tiers.flat().some((workloadId) => workloads.includes(workloadId)),
  );
  const groupIds = plan.groups.map(({ id }) => id);
  const known = possible.flatMap(({ tiers }) => tiers.flat());
  const names = new Set(known);
  const unknown = [
    ...(group === undefined || groupIds.includes(group)
      ? []
      : [{ path: 'group', value: group, message: 'no such group', fix: `name one of: ${groupIds.join(', ')}` }]),
    ...(workloads ?? []).flatMap((value, index) =>
      names.has(value)
        ? []
        : [
            {
              path: `workloads[${index}]`,
              value,
              message: `no such workload in ${group === undefined ? 'this wave' : `group "${group}"`}`,
              fix: `name one of: ${known.slice(0, 20).join(', ')}`,
            },
          ],
    ),
  ];
  if (unknown.length > 0) throw refuse('invalidInput', `Wave ${waveId} does not have all that is named.`, unknown);
  const workloadIds = workloads ?? known;
  if (group === undefined && workloads === undefined)
    return { workloadIds, groupIds: [], instanceIds: { allOfAttempt: attempt } };
  return { workloadIds, groupIds: groups.map(({ id }) => id), instanceIds: instancesOf(wave, groups, workloadIds) };
}

/** Throws `conflict` if nothing runs that could hear an order. */
function checkHeard({ waveId, status, groups }: WaveDocument, { groupIds }: Addressed): void {
  if (!underWay.has(status)) throw refuse('conflict', `Wave ${waveId} is ${status}: nothing runs that could be told.`);
  for (const id of groupIds)
    if (endedGroups.has(groups[id]?.status))
      throw refuse(
        'conflict',
        `Group ${id} is ${groups[id]?.status}: nothing of it runs that could be told. Once the wave has ended, its next start takes up what is left (POST /api/waves/${waveId}/start).`,
      );
}

/** What an order makes of the wave's document. Throws `conflict` if nothing runs any more that could hear it. */
function toldTo(wave: WaveDocument, scope: Addressed, { attempt }: WaveDocument, { id, signal }: ControlDocument) {
  checkHeard(wave, scope);
  if (wave.attempt !== attempt)
    throw refuse('conflict', `Wave ${wave.waveId} has been started anew meanwhile: look at it, and order again.`);
  const isFirst = withdrawsAll(signal) && scope.groupIds.length === 0 && wave.withdrawal?.attempt !== attempt;
  return isFirst ? { ...wave, withdrawal: { attempt, orderId: id } } : wave;
}

/** Writes an order down for the feed to carry, by `put` if given. Throws `conflict` if nothing runs that could hear it. */
export async function give(
  { store, now }: Capabilities,
  wave: WaveDocument,
  scope: Addressed,
  signalOf: (stamp: { id: string; at: string }) => ControlSignal,
  put: (control: ControlDocument) => Promise<unknown> = (control) =>
    store.controls.give(control, (current) => toldTo(current, scope, wave, control)),
): Promise<ControlDocument> {
  checkHeard(wave, scope);
  const { waveId, startedAt } = wave;
  const { instanceIds } = scope;
  const at = orderTime(await store.controls.list(waveId), startedAt, now());
  const id = `control.${randomUUID()}`;
  const control: ControlDocument = { id, kind: 'control', waveId, instanceIds, signal: signalOf({ id, at }), at };
  await put(control);
  return control;
}
