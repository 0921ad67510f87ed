// Orders to a wave: start, cancel, roll back. Orders to running orchestrations are documents; the change feed carries them.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { Id } from '../../shared/model/ids.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { ControlDocument, WaveDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { checkRollback } from './pointOfNoReturn.ts';
import { refuse } from './problem.ts';
import { type Call, json, type Route } from './route.ts';
import { holdersOf, waveOf } from './waves.ts';

const Reason = z.string().trim().min(1).max(1000);
const Cancel = z.strictObject({ reason: Reason });
const Rollback = z.strictObject({
  to: z.enum(['replicating', 'withdrawn']).default('replicating'),
  reason: Reason,
  acceptDataLoss: z.boolean().default(false),
  group: Id.optional(),
});

const startable: ReadonlySet<WaveDocument['status']> = new Set(['planned', 'rolledBack', 'failed', 'cancelled']);
const underWay: ReadonlySet<WaveDocument['status']> = new Set(['running', 'attention']);

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
        const cancelled = await store.waves.change(wave.waveId, (current) =>
          current.status === 'planned' ? { ...current, status: 'cancelled', reason, endedAt: now() } : undefined,
        );
        if (cancelled.status === 'cancelled') return json({ waveId: wave.waveId, status: 'cancelled' });
      }
      return json(
        await order(capabilities, wave, person, { action: 'cancel', to: 'withdrawn', reason, acceptDataLoss: false }),
        202,
      );
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
      return json(await order(capabilities, wave, person, { action: 'rollback', ...asked }), 202);
    },
  },
];

async function start({
  capabilities: { store, now },
  orchestrations,
  param,
  person,
}: Call & { person: Person }): Promise<{ attempt: number; instanceId: string }> {
  const planned = await waveOf(store, param('id'));
  const { waveId } = planned;
  const instanceId = `wave-${waveId}`;
  const standing = await orchestrations.standing(instanceId);
  if (standing === 'active') throw refuse('conflict', `Wave ${waveId} is under way already.`);
  await requireSources(store, planned);
  const { attempt } = await store.waves.change(waveId, (wave) => {
    // Told to run, but nothing runs: whoever started it crashed in between, and this attempt is begun now.
    if (underWay.has(wave.status) && standing === 'absent') return undefined;
    if (wave.attempt !== planned.attempt) throw refuse('conflict', `Wave ${waveId} is being started already.`);
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
      startedAt: updatedAt,
      attempt: wave.attempt + 1,
    };
  });
  await orchestrations.start('wave', instanceId, { waveId, attempt });
  return { attempt, instanceId };
}

/** A source goes one way at a time: since this wave was planned or ended, another one may have taken its sources. */
async function requireSources(store: Capabilities['store'], { waveId, plan, groups }: WaveDocument): Promise<void> {
  const holders = await holdersOf(waveId, store);
  for (const { source, groupId } of plan.workloads) {
    const holder = groups[groupId]?.status === 'committed' ? undefined : holders.get(source.id);
    if (holder !== undefined)
      throw refuse('conflict', `Wave ${holder} migrates source ${source.id}: cancel that wave, or wait for its end.`);
  }
}

interface Order {
  action: 'cancel' | 'rollback';
  to: 'replicating' | 'withdrawn';
  reason: string;
  acceptDataLoss: boolean;
  group?: string | undefined;
}

async function order(
  { store, now }: Capabilities,
  wave: WaveDocument,
  person: Person,
  asked: Order,
): Promise<ControlDocument> {
  const { waveId } = wave;
  const { group, acceptDataLoss, action, to, reason } = asked;
  const groups = wave.plan.groups.filter(({ id }) => group === undefined || id === group);
  if (groups.length === 0)
    throw refuse('invalidInput', `Wave ${waveId} has no group "${group}".`, [
      {
        path: 'group',
        value: group,
        message: 'no such group',
        fix: `name one of: ${wave.plan.groups.map(({ id }) => id).join(', ')}`,
      },
    ]);
  const ids = new Set(groups.flatMap(({ tiers }) => tiers.flat()));
  const workloads = (await store.workloads.list(waveId)).filter(({ workloadId }) => ids.has(workloadId));
  checkRollback(workloads, person, acceptDataLoss);
  if (!underWay.has(wave.status))
    throw refuse('conflict', `Wave ${waveId} is ${wave.status}: nothing runs that could be rolled back.`);
  const control: ControlDocument = {
    id: `control.${randomUUID()}`,
    kind: 'control',
    waveId,
    instanceIds: instancesOf(wave, group === undefined, groups),
    signal: { action, to, by: person.subject, reason },
    acceptDataLoss,
    at: now(),
  };
  await store.controls.put(control);
  return control;
}

/** Every orchestration that may run for these groups in the current attempt. */
function instancesOf(
  { waveId, attempt }: WaveDocument,
  whole: boolean,
  groups: WaveDocument['plan']['groups'],
): string[] {
  const workloadIds = groups.flatMap(({ tiers }) => tiers.flat());
  return [
    ...(whole ? [`wave-${waveId}`] : []),
    ...groups.map(({ id }) => `group-${waveId}.${id}-${attempt}`),
    ...workloadIds.flatMap((id) => [`prepare-${waveId}.${id}-${attempt}`, `cutover-${waveId}.${id}-${attempt}`]),
  ];
}
