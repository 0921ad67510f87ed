// From a definition to a plan: profiles and inventory resolved, every level of settings merged, everything checked that
// can be checked without asking anybody.
import { actionOf } from '../actions/all.ts';
import type { Calendar } from '../model/calendar.ts';
import type { Environment, Profile } from '../model/environment.ts';
import { applianceIds, type GroupPlan, type WavePlan, type WorkloadPlan } from '../model/plan.ts';
import type { Settings } from '../model/settings.ts';
import type { Source } from '../model/source.ts';
import type { GroupDefinition, WaveDefinition, WorkloadDefinition } from '../model/wave.ts';
import { contestedRecords } from './contestedRecords.ts';
import { groupsBefore, resolveNeeds } from './needs.ts';
import { tiersOf } from './order.ts';
import { planWindows } from './planWindows.ts';
import { didYouMean, type Problem, suggestionsAtMost } from './problems.ts';
import { completeSettings, mergeSettings } from './settings.ts';
import type { PlannedShape } from './units.ts';
import { cycles, repeated, unknownDependencies } from './waveShape.ts';

export interface PlanInput {
  definition: WaveDefinition;
  environment: Environment | undefined;
  profile: Profile | undefined;
  /** The whole inventory, or at least the sources that the definition names. */
  sources: readonly Source[];
  /** Other stored waves, as far as this one depends on them or they on it; none if left out. */
  others?: readonly PlannedShape[];
  /** The ids of all of them; those of `others` if left out. */
  waveIds?: readonly string[];
  now: string;
  /** Those that definition and environment name, as far as they exist. */
  calendars?: readonly Calendar[];
}

/** Resolves a definition into an immutable, hashed plan, or lists everything that stands against it. */
export function resolvePlan(
  input: PlanInput,
  hash: (value: unknown) => string,
): { plan: WavePlan } | { problems: Problem[] } {
  const { definition, environment, profile } = input;
  const { others = [], waveIds = others.map(({ waveId }) => waveId) } = input;
  const { needs, problems: dependencies } = resolveNeeds(definition, others, waveIds);
  const problems = [
    ...references(input),
    ...repeated(definition),
    ...unknownDependencies(definition),
    ...cycles(definition),
    ...dependencies,
  ];
  const planned = planWindows({ definition, environment, calendars: input.calendars ?? [] }, input.now);
  if ('problems' in planned) problems.push(...planned.problems);
  if (environment === undefined || profile === undefined) return { problems };

  const sources = new Map(input.sources.map((source) => [source.id, source]));
  const missing = new MissingSettings();
  const groups: GroupPlan[] = [];
  const workloads: WorkloadPlan[] = [];
  const paths = new Map<string, string>();
  definition.groups.forEach((group, g) => {
    const order = tiersOf(group.workloads);
    const onFailure = group.onFailure ?? definition.onFailure;
    const needed = needs.get(group.id) ?? [];
    const dependsOn = groupsBefore(definition, needed);
    if ('tiers' in order) groups.push({ id: group.id, dependsOn, needs: needed, tiers: order.tiers, onFailure });
    group.workloads.forEach((workload, w) => {
      const path = `groups[${g}].workloads[${w}]`;
      paths.set(workload.id, path);
      const source = sources.get(workload.source);
      if (source === undefined) return;
      problems.push(...siteProblems(workload, source, environment, path));
      const settings = missing.complete(path, levels({ environment, profile, definition, group, workload }));
      if (settings === undefined) return;
      problems.push(...againstActions(settings, environment, path));
      const { id: workloadId, method, dependsOn, target } = workload;
      const applianceId = method === 'agent' ? applianceIds.agent(source.id) : applianceIds.worker(source.site);
      const plan = {
        waveId: definition.id,
        groupId: group.id,
        workloadId,
        environmentId: environment.id,
        method,
        applianceId,
        dependsOn,
        source,
        target,
        settings,
      };
      workloads.push({ ...plan, hash: hash(plan) });
    });
  });
  problems.push(...missing.problems(profile.id));
  problems.push(...contestedRecords(workloads, (id) => paths.get(id) ?? 'groups'));
  if (problems.length > 0 || 'problems' in planned) return { problems };
  const { id: waveId, onOverrun, gates, commitPolicy, decommission, failureBudget } = definition;
  const { zone } = definition.window;
  const budget = failureBudget === undefined ? {} : { failureBudget };
  const plan = {
    waveId,
    environment,
    ...planned,
    zone,
    onOverrun,
    gates,
    commitPolicy,
    decommission,
    ...budget,
    groups,
    workloads,
  };
  return { plan: { ...plan, hash: hash(plan) } };
}

/** What stands against actions where the environment does not allow them. */
function againstActions({ cutover }: WorkloadPlan['settings'], environment: Environment, path: string): Problem[] {
  return cutover.actions.flatMap((action) => {
    const found = actionOf(action).against(action, environment);
    return found === undefined ? [] : [{ path: `${path}.settings.cutover.actions`, value: action.name, ...found }];
  });
}

function references({ definition, environment, profile, sources }: PlanInput): Problem[] {
  const problems: Problem[] = [];
  if (environment === undefined)
    problems.push({
      path: 'environment',
      value: definition.environment,
      message: `there is no environment "${definition.environment}"`,
      fix: 'put it first, or name another one',
    });
  if (profile === undefined)
    problems.push({
      path: 'profile',
      value: definition.profile,
      message: `there is no profile "${definition.profile}"`,
      fix: 'put it first, or name another one',
    });
  const known = new Set(sources.map(({ id }) => id));
  definition.groups.forEach((group, g) => {
    group.workloads.forEach((workload, w) => {
      if (known.has(workload.source)) return;
      const meant = problems.length < suggestionsAtMost ? didYouMean(workload.source, known) : undefined;
      const fix =
        meant === undefined ? 'put it into the inventory first, or name another one' : `did you mean "${meant}"?`;
      problems.push({
        path: `groups[${g}].workloads[${w}].source`,
        value: workload.source,
        message: `there is no source "${workload.source}" in the inventory`,
        fix,
      });
    });
  });
  return problems;
}

function siteProblems(
  { method }: WorkloadDefinition,
  source: Source,
  environment: Environment,
  path: string,
): Problem[] {
  if (method !== 'agentless') return [];
  if (environment.sites.some(({ id }) => id === source.site)) return [];
  const message = `environment "${environment.id}" has no site "${source.site}", where ${source.id} is read from`;
  return [
    {
      path: `${path}.method`,
      value: method,
      message,
      fix: 'use the method "agent", or give the environment this site',
    },
  ];
}

function levels(of: {
  environment: Environment;
  profile: Profile;
  definition: WaveDefinition;
  group: GroupDefinition;
  workload: WorkloadDefinition;
}): (Settings | undefined)[] {
  return [
    of.environment.settings,
    of.profile.settings,
    of.definition.settings,
    of.group.settings,
    of.workload.settings,
  ];
}

/** Collects what is missing; a setting that every workload misses is told once. */
class MissingSettings {
  readonly #workloads = new Map<string, string[]>();
  #seen = 0;

  complete(path: string, settings: (Settings | undefined)[]): WorkloadPlan['settings'] | undefined {
    this.#seen++;
    const completed = completeSettings(mergeSettings(settings));
    if ('settings' in completed) return completed.settings;
    for (const name of completed.missing) this.#workloads.set(name, [...(this.#workloads.get(name) ?? []), path]);
    return undefined;
  }

  problems(profileId: string): Problem[] {
    return [...this.#workloads].flatMap(([name, paths]) =>
      (paths.length === this.#seen ? [''] : paths.map((path) => `${path}.`)).map((prefix) => ({
        path: `${prefix}settings.${name}`,
        value: undefined,
        message: `no level sets "${name}": environment, profile, wave, group, workload`,
        fix: `set it in profile "${profileId}", or nearer to the workload`,
      })),
    );
  }
}
