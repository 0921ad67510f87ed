// How fast a wave goes: pause and resume at safe points, and which workloads cut over first or later.
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { Phase } from '../../shared/lifecycle/phases.ts';
import { standingTurns, whyNot } from '../../shared/policy/batches.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { asOne, cutoverBegun } from './leaving.ts';
import { type Addressed, give, Reason, Scope, scopeOf } from './orders.ts';
import { refuse } from './problem.ts';
import { json, type Route } from './route.ts';
import { waveOf } from './waves.ts';

const Pause = Scope.extend({ reason: Reason, deltas: z.enum(['goOn', 'stop']).default('goOn') });
const Resume = Scope.extend({ reason: Reason });
const Because = z.strictObject({ reason: Reason });

const turn = (action: 'rush' | 'defer'): Route => ({
  name: `workloads${action === 'rush' ? 'Rush' : 'Defer'}`,
  method: 'POST',
  path: `waves/{id}/workloads/{wid}/${action}`,
  allowed: ['operator'],
  async handle({ capabilities, request, param, person }) {
    const { reason } = await readBody(request, Because);
    const wave = await waveOf(capabilities.store, param('id'));
    const scope = await scopeOf(capabilities.store, wave, { workloads: [param('wid')] });
    await checkTurn(capabilities, wave, param('wid'), action);
    const { workloadIds } = scope;
    const told = { action, workloadIds, by: person.subject, reason };
    return json(await give(capabilities, wave, scope, (stamp) => ({ ...told, ...stamp })), 202);
  },
});

/** Throws `conflict` where it is too late, or where members of its group stand against it: then it names them. */
async function checkTurn(
  { store }: Capabilities,
  wave: WaveDocument,
  workloadId: string,
  action: 'rush' | 'defer',
): Promise<void> {
  const { waveId, startedAt = '', attempt } = wave;
  const workloads = await store.workloads.list(waveId);
  const workload = workloads.find((each) => each.workloadId === workloadId);
  if (workload === undefined) return;
  const phase = phaseOf(workload);
  const left = workload.state.left?.attempt === attempt;
  if (left || over.has(phase))
    throw refuse(
      'conflict',
      `${workloadId} ${left ? 'has left its group' : `is ${phase}`}: it does not cut over in this attempt any more.`,
    );
  const isHeld = ({ state }: WorkloadDocument) => state.held?.attempt === attempt;
  if (isHeld(workload))
    throw refuse(
      'conflict',
      `${workloadId} is held: ${workload.state.held?.reason}. It goes on replicating and does not cut over in this attempt any more: once the wave has ended, start it again (POST /api/waves/${waveId}/start).`,
    );
  // Who is queued when its group cuts over is of the batch that does.
  const begun = phase === 'cutoverQueued' && cutoverBegun.has(wave.groups[workload.plan.groupId]?.status);
  if (begun || !beforeCutover.has(phase))
    throw refuse(
      'conflict',
      `${workloadId} is ${phase}: its cutover has begun. Pause it, or roll it back (POST /api/waves/${waveId}/rollback).`,
    );
  const waiting = workloads
    .filter(({ plan, state }) => plan.groupId === workload.plan.groupId && state.left?.attempt !== attempt)
    .filter((each) => beforeCutover.has(phaseOf(each)) && !isHeld(each))
    .map((each) => ({ workloadId: each.workloadId, dependsOn: each.plan.dependsOn }));
  const orders = (await store.controls.list(waveId)).filter(({ at }) => at >= startedAt);
  const why = whyNot(action, workloadId, waiting, standingTurns(orders.map(({ signal }) => signal)));
  if (why !== undefined) throw refuse('conflict', why);
}

function phaseOf({ state }: WorkloadDocument): Phase {
  return state.remembered ?? state.phase;
}

export const paceRoutes: Route[] = [
  {
    name: 'wavesPause',
    method: 'POST',
    path: 'waves/{id}/pause',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { reason, deltas, ...asked } = await readBody(request, Pause);
      const wave = await waveOf(capabilities.store, param('id'));
      const scope = await scopeOf(capabilities.store, wave, asked);
      const concerned = await workloadsIn(capabilities, wave, scope);
      if (asked.workloads !== undefined) checkRestsAlone(concerned);
      const told = { action: 'pause' as const, by: person.subject, reason, deltas, ...named(asked, scope) };
      const order = await give(capabilities, wave, scope, (stamp) => ({ ...told, ...stamp }));
      return json({ order, ...costOf(concerned) }, 202);
    },
  },
  {
    name: 'wavesResume',
    method: 'POST',
    path: 'waves/{id}/resume',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { reason, ...asked } = await readBody(request, Resume);
      const wave = await waveOf(capabilities.store, param('id'));
      const scope = await scopeOf(capabilities.store, wave, asked);
      const told = { action: 'resume' as const, by: person.subject, reason, ...named(asked, scope) };
      return json({ order: await give(capabilities, wave, scope, (stamp) => ({ ...told, ...stamp })) }, 202);
    },
  },
  turn('rush'),
  turn('defer'),
];

const beforeCutover: ReadonlySet<Phase> = new Set<Phase>([
  'registered',
  'preparing',
  'replicating',
  'testing',
  'tested',
  'cutoverQueued',
]);

const over: ReadonlySet<Phase> = new Set<Phase>(['committed', 'rollingBack', 'withdrawn', 'unregistered']);

/** An order for single workloads names them: their group hears it too, and is not meant. */
function named({ workloads }: z.infer<typeof Scope>, { workloadIds }: Addressed): { workloadIds?: string[] } {
  return workloads === undefined ? {} : { workloadIds };
}

async function workloadsIn(
  { store }: Capabilities,
  { waveId }: WaveDocument,
  { workloadIds }: Addressed,
): Promise<WorkloadDocument[]> {
  const named = new Set(workloadIds);
  return (await store.workloads.list(waveId)).filter(({ workloadId }) => named.has(workloadId));
}

/** Throws `conflict` where steps are taken for the whole group: none of its workloads rests alone there. */
function checkRestsAlone(workloads: readonly WorkloadDocument[]): void {
  const moving = workloads.find((each) => asOne.has(phaseOf(each)));
  if (moving === undefined) return;
  const { workloadId, plan } = moving;
  throw refuse(
    'conflict',
    `${workloadId} is ${phaseOf(moving)}: its group goes on as a whole. Pause that ("group": "${plan.groupId}").`,
  );
}

/** What a pause costs: who is down between the stop of its services and its traffic stays down for as long as it lasts. */
function costOf(workloads: readonly WorkloadDocument[]): {
  down: { workloadId: string; since: string }[];
  warning?: string;
} {
  const down = workloads.flatMap(({ workloadId, state: { downtime } }) =>
    downtime === undefined || downtime.ended !== undefined ? [] : [{ workloadId, since: downtime.began }],
  );
  if (down.length === 0) return { down };
  const names = down.map(({ workloadId }) => workloadId).join(', ');
  return { down, warning: `Nobody serves ${names} until this is resumed or rolled back: the services are stopped.` };
}
