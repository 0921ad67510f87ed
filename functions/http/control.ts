// A wave starts, and is told to walk back: whole, a group, or single workloads.
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { codeVersion } from '../../shared/durable/version.ts';
import { orderTime } from '../../shared/policy/addressees.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { ControlDocument, WaveDocument } from '../../shared/store/documents.ts';
import { finishChanges } from '../../shared/versions/move.ts';
import { isAsSeen } from '../../shared/versions/revise.ts';
import { readBody } from './body.ts';
import { checkLeaving, letThemLeave } from './leaving.ts';
import { give, Reason, Scope, scopeOf, underWay } from './orders.ts';
import { holdersOf } from './planning.ts';
import { checkRollback } from './pointOfNoReturn.ts';
import { refuse } from './problem.ts';
import { type Call, json, type Route } from './route.ts';
import { waveOf } from './waves.ts';

const Cancel = z.strictObject({ reason: Reason });
const Rollback = Scope.extend({
  to: z.enum(['replicating', 'withdrawn']).default('replicating'),
  reason: Reason,
  acceptDataLoss: z.boolean().default(false),
});
type Rollback = z.infer<typeof Rollback>;

const startable: ReadonlySet<WaveDocument['status']> = new Set([
  'planned',
  'incomplete',
  'rolledBack',
  'failed',
  'cancelled',
]);

export const controlRoutes: Route[] = [
  {
    name: 'wavesStart',
    method: 'POST',
    path: 'waves/{id}/start',
    allowed: ['operator'],
    async handle(call) {
      const { attempt, instanceId } = await start(call);
      return json({ waveId: call.param('id'), instanceId, attempt }, 202, {
        location: `/api/waves/${call.param('id')}`,
      });
    },
  },
  {
    name: 'wavesCancel',
    method: 'POST',
    path: 'waves/{id}/cancel',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { store, now } = capabilities;
      const { reason } = await readBody(request, Cancel);
      const wave = await waveOf(store, param('id'));
      if (wave.status === 'planned') {
        const cancelled = await store.waves.change(
          wave.waveId,
          (current) =>
            current.status === 'planned' ? { ...current, status: 'cancelled', reason, endedAt: now() } : undefined,
          { by: `user:${person.subject}`, reason },
        );
        if (cancelled.status === 'cancelled') return json({ waveId: wave.waveId, status: 'cancelled' });
      }
      const asked = { action: 'cancel', to: 'withdrawn', reason, acceptDataLoss: false } as const;
      return json(await walkBack(capabilities, wave, person, asked), 202);
    },
  },
  {
    name: 'wavesRollback',
    method: 'POST',
    path: 'waves/{id}/rollback',
    allowed: ['operator', 'approver'],
    async handle({ capabilities, request, param, person }) {
      const asked = await readBody(request, Rollback);
      const wave = await waveOf(capabilities.store, param('id'));
      return json(await walkBack(capabilities, wave, person, { action: 'rollback', ...asked }), 202);
    },
  },
];

async function start({
  capabilities: { store, now },
  orchestrations,
  param,
  person,
}: Call & { person: Person }): Promise<{ attempt: number; instanceId: string }> {
  await finishChanges(store, param('id'));
  const planned = await waveOf(store, param('id'));
  const { waveId } = planned;
  const instanceId = `wave-${waveId}`;
  const standing = await orchestrations.standing(instanceId);
  if (standing === 'active') throw refuse('conflict', `Wave ${waveId} is under way already.`);
  await requireSources(store, planned);
  // Orders of the attempt before are told from those of this one by their time.
  const begins = orderTime(await store.controls.list(waveId), undefined, now());
  const { attempt, startedAt = begins } = await store.waves.change(waveId, (wave) => {
    // Told to run, but nothing runs: whoever started it crashed in between, and this attempt is begun now.
    if (underWay.has(wave.status) && standing === 'absent') return undefined;
    if (wave.attempt !== planned.attempt) throw refuse('conflict', `Wave ${waveId} is being started already.`);
    // What was checked is what runs, whole: not a version that came in between, or whose workloads have not got theirs.
    if (!isAsSeen(wave, { ...planned, status: wave.status }))
      throw refuse('conflict', `Wave ${waveId} is being changed: look at it again, then start it.`);
    if (!startable.has(wave.status) && !underWay.has(wave.status))
      throw refuse('conflict', `Wave ${waveId} is ${wave.status}; it does not start again.`);
    const { reason: _reason, endedAt: _endedAt, ...rest } = wave;
    const updatedAt = now();
    const groups = Object.fromEntries(
      Object.entries(wave.groups).map(([id, group]) => [
        id,
        group.status === 'committed' ? group : { status: 'planned' as const, updatedAt },
      ]),
    );
    return {
      ...rest,
      groups,
      status: 'running',
      startedBy: person.subject,
      codeVersion,
      startedAt: begins,
      attempt: wave.attempt + 1,
    };
  });
  await orchestrations.start('wave', instanceId, { waveId, attempt, startedAt });
  return { attempt, instanceId };
}

/** A source goes one way at a time: since this wave was planned or ended, another one may have taken its sources. */
async function requireSources(store: Capabilities['store'], { waveId, plan, groups }: WaveDocument): Promise<void> {
  const holders = await holdersOf(waveId, store);
  const left = (await store.plans.groups(plan)).filter(({ id }) => groups[id]?.status !== 'committed');
  for (const { sourceId } of left.flatMap(({ members }) => members)) {
    const holder = holders.get(sourceId);
    if (holder !== undefined)
      throw refuse('conflict', `Wave ${holder} migrates source ${sourceId}: cancel that wave, or wait for its end.`);
  }
}

async function walkBack(
  capabilities: Capabilities,
  wave: WaveDocument,
  person: Person,
  { action, to, reason, acceptDataLoss, ...asked }: Rollback & { action: 'cancel' | 'rollback' },
): Promise<ControlDocument> {
  const scope = await scopeOf(capabilities.store, wave, asked);
  const workloads = await capabilities.store.workloads.list(wave.waveId);
  const named = new Set(scope.workloadIds);
  const concerned = workloads.filter(({ workloadId }) => named.has(workloadId));
  // Of a group that has committed in part, or of a wave that is cancelled, the rest may go back: what is committed stays.
  const rest = concerned.filter(({ state }) => state.phase !== 'committed');
  const inPart = (action === 'cancel' || asked.group !== undefined) && rest.length > 0;
  checkRollback(inPart ? rest : concerned, person, acceptDataLoss);
  const { store } = capabilities;
  const { waveId } = wave;
  const alone = asked.workloads !== undefined;
  if (alone) checkLeaving(wave, workloads, await store.leaving.get(waveId), scope.workloadIds);
  const signalOf = (stamp: { id: string; at: string }) => ({
    action,
    to,
    by: person.subject,
    reason,
    ...stamp,
    ...(acceptDataLoss ? { acceptDataLoss } : {}),
    ...(alone ? { workloadIds: scope.workloadIds } : {}),
  });
  if (!alone) return give(capabilities, wave, scope, signalOf);
  const letGo = (create: ControlDocument) => letThemLeave(store, waveId, scope.workloadIds, { create });
  return give(capabilities, wave, scope, signalOf, letGo);
}
