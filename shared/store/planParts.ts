// What grows with the number of workloads lies beside a wave's document, in parts of the same partition. A part is named
// by the hash of what it holds and never changes: versions share those of groups that they leave alone, whoever stores
// them again after a crash stores nothing new, and parts that no document names are seen by nobody.
import { needsOf } from '../actions/all.ts';
import { terminal } from '../errors.ts';
import { few } from '../few.ts';
import { hashOf } from '../hash.ts';
import type { PlannedGroup, PlannedWorkload, StoredGroup, StoredPlan, WavePlan, WorkloadPlan } from '../model/plan.ts';
import type { WaveDefinition, WorkloadDefinition } from '../model/wave.ts';
import type { Collection, Stored } from './collection.ts';
import type { Store } from './contract.ts';

/** Half of what Cosmos DB takes in a document: one workload more never makes a part too long. */
const bytesAtMost = 1_000_000;

interface Part<T> extends Stored {
  id: `part.${string}`;
  kind: 'part';
  waveId: string;
  content: T;
}

export function planPartsOn(collection: Collection): Store['plans'] {
  const put = async <T>(waveId: string, content: T): Promise<string> => {
    const hash = hashOf(content);
    const part: Part<T> = { id: `part.${hash}`, kind: 'part', waveId, content };
    await collection.create([waveId], part);
    return hash;
  };
  const get = async <T>(waveId: string, hash: string): Promise<T> => {
    const read = await collection.read<Part<T>>([waveId], `part.${hash}`);
    if (read !== undefined) return read.value.content;
    throw terminal('notFound', `Part ${hash} of wave ${waveId} is not in the store.`, 'Check that nobody deleted it.');
  };
  const outline = ({ waveId }: StoredPlan, group: StoredGroup) => get<PlannedGroup>(waveId, group.outline);
  const workloads = async ({ waveId }: StoredPlan, group: StoredGroup): Promise<PlannedWorkload[]> =>
    (await few(group.workloads, (hash) => get<PlannedWorkload[]>(waveId, hash))).flat();

  return {
    async put(definition, plan) {
      const { groups, workloads: all, ...head } = plan;
      const { waveId } = plan;
      const members = Map.groupBy(all, ({ groupId }) => groupId);
      const written = new Map(definition.groups.map((group) => [group.id, group.workloads]));
      const bare = { ...definition, groups: definition.groups.map((group) => ({ ...group, workloads: [] })) };
      return {
        ...head,
        name: definition.name,
        definition: await put(waveId, bare),
        size: all.length,
        workerSites: sitesOf(all),
        besides: needsOf(all.flatMap(({ settings }) => settings.cutover.actions)),
        groups: await few(groups, async (group): Promise<StoredGroup> => {
          const { id, dependsOn, needs, onFailure } = group;
          const plans = members.get(id) ?? [];
          const both = paired(written.get(id) ?? [], plans);
          return {
            ...{ id, dependsOn, onFailure, size: plans.length },
            needs: needs.map(({ pairs: _pairs, ...unit }) => unit),
            outline: await put(waveId, outlineOf(group, plans)),
            workloads: await few(inParts(both), (part) => put(waveId, part)),
          };
        }),
      };
    },
    async group(plan, groupId) {
      const found = plan.groups.find(({ id }) => id === groupId);
      if (found !== undefined) return outline(plan, found);
      throw terminal('notFound', `Wave ${plan.waveId} has no group ${groupId}.`, 'Check the name of the group.');
    },
    groups: (plan) => few(plan.groups, (group) => outline(plan, group)),
    workloads,
    async whole(stored) {
      const { name: _n, definition: bare, groups, size: _s, workerSites: _w, besides: _b, ...head } = stored;
      const definition = await get<WaveDefinition>(stored.waveId, bare);
      const outlines = await few(groups, (group) => outline(stored, group));
      const both = await few(groups, (group) => workloads(stored, group));
      const written = new Map(groups.map(({ id }, g) => [id, both[g]?.map((each) => each.definition) ?? []]));
      return {
        definition: {
          ...definition,
          groups: definition.groups.map((group) => ({ ...group, workloads: written.get(group.id) ?? [] })),
        },
        plan: {
          ...head,
          groups: outlines.map(({ members: _members, ...group }) => group),
          workloads: both.flat().map(({ plan }) => plan),
        },
      };
    },
  };
}

function outlineOf(group: WavePlan['groups'][number], plans: readonly WorkloadPlan[]): PlannedGroup {
  const members = plans.map(({ workloadId, method, applianceId, dependsOn, source }) => ({
    ...{ workloadId, method, applianceId, dependsOn },
    sourceId: source.id,
  }));
  return { ...group, members };
}

/** What was written of a group beside what it came to: `resolvePlan` keeps the order. */
function paired(definitions: readonly WorkloadDefinition[], plans: readonly WorkloadPlan[]): PlannedWorkload[] {
  return definitions.flatMap((definition, index) => {
    const plan = plans[index];
    return plan === undefined ? [] : [{ definition, plan }];
  });
}

function sitesOf(plans: readonly WorkloadPlan[]): string[] {
  return [...new Set(plans.filter(({ method }) => method === 'agentless').map(({ source }) => source.site))];
}

/** In order, as many in each as fit; one that is too long by itself has a part of its own. */
function inParts(workloads: readonly PlannedWorkload[]): PlannedWorkload[][] {
  const parts: PlannedWorkload[][] = [];
  let room = 0;
  for (const workload of workloads) {
    const bytes = Buffer.byteLength(JSON.stringify(workload));
    if (bytes > room) {
      parts.push([]);
      room = bytesAtMost;
    }
    parts.at(-1)?.push(workload);
    room -= bytes;
  }
  return parts;
}
