// From a posted definition to a plan, against everything that is stored: inventory, other waves, who has which source.
import { few } from '../../shared/few.ts';
import { hashOf } from '../../shared/hash.ts';
import { idlePhases, Phase } from '../../shared/lifecycle/phases.ts';
import type { Calendar } from '../../shared/model/calendar.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import { neededElsewhere } from '../../shared/policy/neededElsewhere.ts';
import { tooLong } from '../../shared/policy/planSize.ts';
import { type Finding, preflight } from '../../shared/policy/preflight.ts';
import type { Problem } from '../../shared/policy/problems.ts';
import { relatedWaves } from '../../shared/policy/relatedWaves.ts';
import { resolvePlan } from '../../shared/policy/resolvePlan.ts';
import { type PlannedShape, shapeOf } from '../../shared/policy/units.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { type Refused, refuse } from './problem.ts';

/** Waves that still have a claim on their sources. */
const claiming: ReadonlySet<WaveDocument['status']> = new Set(['planned', 'running', 'attention']);

/** The plan of a definition, or everything that stands against it. `instead` is what other waves are about to be. */
export async function planOf(
  store: Store,
  definition: WaveDefinition,
  now: string,
  instead: readonly PlannedShape[] = [],
): Promise<WavePlan> {
  const environment = await store.environments.get(definition.environment);
  const [calendars, profile, sources, waves, holder] = await Promise.all([
    calendarsOf(store, [...definition.calendars, ...(environment?.calendars ?? [])]),
    store.profiles.get(definition.profile),
    store.sources.list(),
    store.waves.list(),
    holdersOf(definition.id, store, instead),
  ]);
  const related = relatedWaves(definition, [...waves.map(({ plan }) => plan), ...instead]);
  const others = await shapesOf(
    store,
    waves.filter(({ waveId }) => related.has(waveId)),
    instead,
  );
  const waveIds = waves.map(({ waveId }) => waveId);
  const resolved = resolvePlan({ definition, environment, profile, calendars, sources, others, waveIds, now }, hashOf);
  const against = [
    ...('problems' in resolved
      ? resolved.problems
      : [...neededElsewhere(resolved.plan, others), ...tooLong(definition, resolved.plan)]),
    ...claimedElsewhere(definition, holder),
  ];
  if ('problems' in resolved || against.length > 0) throw refuseAll(`wave "${definition.id}"`, against);
  return resolved.plan;
}

/** Stored waves as dependencies see them, or as they are about to be. */
function shapesOf(
  store: Store,
  waves: readonly WaveDocument[],
  instead: readonly PlannedShape[],
): Promise<PlannedShape[]> {
  return few(
    waves,
    async ({ waveId, plan }) =>
      instead.find((each) => each.waveId === waveId) ?? shapeOf(waveId, await store.plans.groups(plan)),
  );
}

async function calendarsOf(store: Store, ids: readonly string[]): Promise<Calendar[]> {
  const found = await Promise.all([...new Set(ids)].map((id) => store.calendars.get(id)));
  return found.filter((calendar) => calendar !== undefined);
}

/** Refuses with everything that stands against something. */
export function refuseAll(what: string, problems: Problem[]): Refused {
  const many = problems.length === 1 ? 'One thing stands' : `${problems.length} things stand`;
  return refuse('invalidInput', `${many} against ${what}.`, problems);
}

export type Findings = (Finding & { workloadId: string })[];

/** What preflight finds in the sources of a plan. */
export function findingsOf({ workloads }: WavePlan): Findings {
  return workloads.flatMap(({ workloadId, source }) =>
    preflight(source).map((finding) => ({ workloadId, ...finding })),
  );
}

/** Throws 422 if a finding is an error. */
export function refuseBlocking(definition: WaveDefinition, findings: Findings): void {
  const blocking = findings.filter(({ severity }) => severity === 'error');
  if (blocking.length === 0) return;
  const problems = blocking.map((finding) => asProblem(definition, finding));
  throw refuse('preflightFailed', 'Sources cannot be migrated as they stand.', problems);
}

/** Phases in which a workload has its source in hand, whether or not anything runs: its appliance, its syncs, its target. */
const holding = Object.values(Phase).filter((phase) => !idlePhases.has(phase));

/**
 * Which sources waves other than this one have a claim on, and which wave it is: a wave that may run has all of its
 * sources, one that has ended those that it has not withdrawn.
 */
export async function holdersOf(
  ownId: string,
  store: Store,
  instead: readonly PlannedShape[] = [],
): Promise<ReadonlyMap<string, string>> {
  const [waves, held] = await Promise.all([store.waves.list(), store.workloads.inPhases(holding)]);
  const running = waves.filter(({ waveId, status }) => waveId !== ownId && claiming.has(status));
  const planned = (await shapesOf(store, running, instead)).flatMap(({ waveId, groups }) =>
    groups.flatMap(({ workloads }) => workloads.map(({ source }) => [source, waveId] as const)),
  );
  const inHand = held
    .filter(({ waveId }) => waveId !== ownId)
    .map(({ waveId, plan }) => [plan.source.id, waveId] as const);
  return new Map([...inHand, ...planned]);
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

function asProblem(definition: WaveDefinition, { workloadId, message, suggestion }: Findings[number]): Problem {
  const g = definition.groups.findIndex(({ workloads }) => workloads.some(({ id }) => id === workloadId));
  const w = definition.groups[g]?.workloads.findIndex(({ id }) => id === workloadId) ?? 0;
  return {
    path: `groups[${g}].workloads[${w}].source`,
    value: definition.groups[g]?.workloads[w]?.source,
    message,
    fix: suggestion,
  };
}
