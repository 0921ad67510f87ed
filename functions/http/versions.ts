// A wave that has not started yet becomes another one, version by version; each says what is different.
import type { WavePlan } from '../../shared/model/plan.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import { whyImmutable } from '../../shared/policy/changeable.ts';
import { type Change, diff } from '../../shared/policy/diff.ts';
import { keptPoints } from '../../shared/policy/keptPoints.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { VersionDocument, WaveDocument } from '../../shared/store/documents.ts';
import { finishChanges } from '../../shared/versions/move.ts';
import { revise } from '../../shared/versions/revise.ts';
import { versionDocument, versionOf } from '../../shared/versions/version.ts';
import type { Orchestrations } from '../orchestrations.ts';
import { readNamed, waveBytesAtMost } from './body.ts';
import { etagOf, requireMatch } from './etag.ts';
import { pathOfPlan } from './pathView.ts';
import { findingsOf, planOf, refuseAll, refuseBlocking } from './planning.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

export const versionRoutes: Route[] = [
  {
    name: 'wavesPut',
    method: 'PUT',
    path: 'waves/{id}',
    allowed: ['planner'],
    async handle({ capabilities: { store, now }, orchestrations, request, person, param }) {
      const definition = await readNamed(request, WaveDefinition, param('id'), waveBytesAtMost);
      const wave = await changeableWave(store, orchestrations, param('id'));
      const plan = await planOf(store, definition, now());
      await requirePointsKept(store, definition, plan);
      const findings = findingsOf(plan);
      const { version } = versionOf(wave);
      const before = await store.plans.whole(wave.plan);
      const answer = { waveId: wave.waveId, replaces: version, ...difference(before, { definition, plan }), findings };
      if (request.query.get('dryRun') === 'true')
        return json({ version: version + 1, stored: false, ...answer, plan, criticalPath: pathOfPlan(plan, now()) });
      if (answer.diff.length === 0 && plan.hash === wave.plan.hash)
        return json({ version, stored: false, ...answer, plan }, 200, { etag: etagOf(wave) });
      requireMatch(request, wave);
      refuseBlocking(definition, findings);
      const reason = reasonIn(request.query);
      const stored = await store.plans.put(definition, plan);
      const revised = await revise(store, wave, { plan: stored, by: person.subject, reason, at: now() });
      const made = { version: versionOf(revised).version, stored: true };
      return json({ ...made, ...answer, plan }, 200, { etag: etagOf(revised) });
    },
  },
  {
    name: 'versionsList',
    method: 'GET',
    path: 'waves/{id}/versions',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const wave = await waveOf(store, param('id'));
      const kept = await store.waves.versions(wave.waveId);
      const { version: current } = versionOf(wave);
      // One that is about to be followed is kept already and still the one that holds.
      const all = [...kept.filter(({ version }) => version < current), versionDocument(wave)];
      const versions = all.map(({ version, by, at, reason, move, plan }) => ({
        ...{ version, by, at, reason, move },
        planHash: plan.hash,
        workloads: plan.size,
      }));
      return json({ versions });
    },
  },
  {
    name: 'versionsGet',
    method: 'GET',
    path: 'waves/{id}/versions/{n}',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const { id: _id, kind: _kind, plan, ...version } = await versionNamed(store, param('id'), param('n'));
      return json({ ...version, ...(await store.plans.whole(plan)) });
    },
  },
  {
    name: 'versionsDiff',
    method: 'GET',
    path: 'waves/{id}/versions/{n}/diff',
    allowed: readers,
    async handle({ capabilities: { store }, request, param }) {
      const after = await versionNamed(store, param('id'), param('n'));
      const from = request.query.get('from') ?? String(after.version - 1);
      if (from === '0') throw refuse('notFound', 'Version 1 is the wave as it was posted: nothing is before it.');
      const before = await versionNamed(store, param('id'), from);
      const { by, at, reason } = after;
      const told = { from: before.version, version: after.version, by, at, reason };
      const [old, next] = [await store.plans.whole(before.plan), await store.plans.whole(after.plan)];
      return json({ ...told, ...difference(old, next) });
    },
  },
];

/** The wave with everything finished that was begun, or 409 with the way out if its plan is immutable. */
export async function changeableWave(
  store: Store,
  orchestrations: Orchestrations,
  waveId: string,
): Promise<WaveDocument> {
  await waveOf(store, waveId);
  await finishChanges(store, waveId);
  const wave = await waveOf(store, waveId);
  const workloads = await store.workloads.list(waveId);
  const phases = workloads.map(({ workloadId, state }) => ({ workloadId, phase: state.phase }));
  const runs = (await orchestrations.standing(`wave-${waveId}`)) === 'active';
  const why = whyImmutable(wave, phases, runs);
  if (why !== undefined) throw refuse('conflict', why);
  return wave;
}

/** Refuses a plan under which a workload that was replicated would go on from another one's points. */
export async function requirePointsKept(store: Store, definition: WaveDefinition, plan: WavePlan): Promise<void> {
  const stored = await store.workloads.some(
    definition.id,
    plan.workloads.map(({ workloadId }) => workloadId),
  );
  const problems = keptPoints(definition, plan.workloads, stored);
  if (problems.length > 0) throw refuseAll(`wave "${definition.id}"`, problems);
}

/** A version as people wrote it, and what that was resolved to. */
export interface Whole {
  definition: WaveDefinition;
  plan: WavePlan;
}

/** What is different in what people wrote, and in what it was resolved to. */
export function difference(before: Whole, after: Whole): { diff: Change[]; planDiff: Change[] } {
  return {
    diff: diff(before.definition, after.definition),
    planDiff: diff(withoutHashes(before.plan), withoutHashes(after.plan)),
  };
}

/** Hashes differ with anything else and say nothing by themselves. */
function withoutHashes({ hash: _hash, workloads, ...plan }: WavePlan) {
  return { ...plan, workloads: workloads.map(({ hash: _own, ...workload }) => workload) };
}

/** Why a version is made: people ask later. */
function reasonIn(query: URLSearchParams): string {
  const reason = query.get('reason')?.trim() ?? '';
  if (reason.length > 0 && reason.length <= 1000) return reason;
  throw refuse('invalidInput', 'A new version says why it is made.', [
    {
      path: 'reason',
      value: query.get('reason'),
      message: 'is missing or too long',
      fix: 'add ?reason=… to the address',
    },
  ]);
}

async function versionNamed(store: Store, waveId: string, text: string): Promise<VersionDocument> {
  const wave = await waveOf(store, waveId);
  const { version: current } = versionOf(wave);
  const kept = /^[1-9]\d{0,8}$/.test(text) ? await store.waves.version(waveId, Number(text)) : undefined;
  const found = text === String(current) ? versionDocument(wave) : kept;
  if (found !== undefined) return found;
  throw refuse('notFound', `Wave "${waveId}" has no version ${text}: it has 1 to ${current}.`);
}
