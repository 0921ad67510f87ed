// Waves: posted, planned, looked at.
import { hashOf } from '../../shared/hash.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import type { Calendar } from '../../shared/model/calendar.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import { type Finding, preflight } from '../../shared/policy/preflight.ts';
import type { Problem } from '../../shared/policy/problems.ts';
import { resolvePlan } from '../../shared/policy/resolvePlan.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';
import { waveView } from './waveView.ts';

/** Waves that still have a claim on their sources. */
const claiming: ReadonlySet<WaveDocument['status']> = new Set(['planned', 'running', 'attention']);

export const waveRoutes: Route[] = [
  {
    name: 'wavesPost',
    method: 'POST',
    path: 'waves',
    allowed: ['planner'],
    async handle({ capabilities: { store, now }, request, person }) {
      const definition = await readBody(request, WaveDefinition);
      const plan = await planOf(store, definition, now());
      const findings = plan.workloads.flatMap(({ workloadId, source }) =>
        preflight(source).map((finding) => ({ workloadId, ...finding })),
      );
      if (request.query.get('dryRun') === 'true') return json({ plan, findings });
      const blocking = findings.filter(({ severity }) => severity === 'error');
      if (blocking.length > 0)
        throw refuse(
          'preflightFailed',
          'Sources cannot be migrated as they stand.',
          blocking.map((finding) => asProblem(definition, finding)),
        );
      const createdAt = now();
      const groups = Object.fromEntries(
        plan.groups.map(({ id }) => [id, { status: 'planned' as const, updatedAt: createdAt }]),
      );
      const { subject: createdBy } = person;
      await store.waves.create({
        id: 'wave',
        kind: 'wave',
        waveId: plan.waveId,
        definition,
        plan,
        status: 'planned',
        createdBy,
        createdAt,
        attempt: 0,
        groups,
      });
      return json({ plan, findings }, 201, { location: `/api/waves/${plan.waveId}` });
    },
  },
  {
    name: 'wavesList',
    method: 'GET',
    path: 'waves',
    allowed: readers,
    async handle({ capabilities: { store } }) {
      const waves = await store.waves.list();
      const rows = waves.map(
        ({ waveId, definition, plan, status, reason, createdAt, startedAt, endedAt, attempt }) => ({
          waveId,
          name: definition.name,
          environment: plan.environment.id,
          status,
          reason,
          windows: plan.windows,
          zone: plan.zone,
          workloads: plan.workloads.length,
          createdAt,
          startedAt,
          endedAt,
          attempt,
        }),
      );
      return json({ waves: rows.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)) });
    },
  },
  {
    name: 'wavesGet',
    method: 'GET',
    path: 'waves/{id}',
    allowed: readers,
    handle: async ({ capabilities: { store, now }, param }) =>
      json(await waveView(store, await waveOf(store, param('id')), now())),
  },
];

/** The stored wave, or 404. */
export async function waveOf(store: Store, waveId: string): Promise<WaveDocument> {
  const wave = await store.waves.get(waveId);
  if (wave === undefined) throw refuse('notFound', `There is no wave "${waveId}".`);
  return wave;
}

async function planOf(store: Store, definition: WaveDefinition, now: string) {
  const environment = await store.environments.get(definition.environment);
  const [calendars, profile, sources, waves, holder] = await Promise.all([
    calendarsOf(store, [...definition.calendars, ...(environment?.calendars ?? [])]),
    store.profiles.get(definition.profile),
    store.sources.list(),
    store.waves.list(),
    holdersOf(definition.id, store),
  ]);
  const others = waves.filter(({ waveId }) => waveId !== definition.id).map(({ plan }) => plan);
  const resolved = resolvePlan({ definition, environment, profile, calendars, sources, others, now }, hashOf);
  const claimed = claimedElsewhere(definition, holder);
  if ('problems' in resolved || claimed.length > 0) {
    const problems = [...('problems' in resolved ? resolved.problems : []), ...claimed];
    throw refuse(
      'invalidInput',
      problems.length === 1
        ? 'One thing stands against this wave.'
        : `${problems.length} things stand against this wave.`,
      problems,
    );
  }
  return resolved.plan;
}

async function calendarsOf(store: Store, ids: readonly string[]): Promise<Calendar[]> {
  const found = await Promise.all([...new Set(ids)].map((id) => store.calendars.get(id)));
  return found.filter((calendar) => calendar !== undefined);
}

/** Phases in which a workload has its source in hand, whether or not anything runs: its appliance, its syncs, its target. */
const holding = Object.values(Phase).filter((phase) => phase !== Phase.registered && phase !== Phase.withdrawn);

/**
 * Which sources waves other than this one have a claim on, and which wave it is: a wave that may run has all of its
 * sources, one that has ended those that it has not withdrawn.
 */
export async function holdersOf(ownId: string, store: Store): Promise<ReadonlyMap<string, string>> {
  const [waves, held] = await Promise.all([store.waves.list(), store.workloads.inPhases(holding)]);
  const running = waves
    .filter(({ status }) => claiming.has(status))
    .flatMap(({ waveId, plan }) => plan.workloads.map(({ source }) => ({ waveId, source })));
  const others = [...held.map(({ waveId, plan }) => ({ waveId, source: plan.source })), ...running];
  return new Map(
    others.filter(({ waveId }) => waveId !== ownId).map(({ source, waveId }) => [source.id, waveId] as const),
  );
}

function claimedElsewhere(definition: WaveDefinition, holder: ReadonlyMap<string, string>): Problem[] {
  return definition.groups.flatMap((group, g) =>
    group.workloads.flatMap(({ source }, w) => {
      const waveId = holder.get(source);
      if (waveId === undefined) return [];
      return [
        {
          path: `groups[${g}].workloads[${w}].source`,
          value: source,
          message: `wave "${waveId}" has this source in hand`,
          fix: 'leave it out, or cancel that wave first; one that has ended is started again and then cancelled',
        },
      ];
    }),
  );
}

function asProblem(
  definition: WaveDefinition,
  { workloadId, message, suggestion }: Finding & { workloadId: string },
): Problem {
  const g = definition.groups.findIndex(({ workloads }) => workloads.some(({ id }) => id === workloadId));
  const w = definition.groups[g]?.workloads.findIndex(({ id }) => id === workloadId) ?? 0;
  return {
    path: `groups[${g}].workloads[${w}].source`,
    value: definition.groups[g]?.workloads[w]?.source,
    message,
    fix: suggestion,
  };
}
