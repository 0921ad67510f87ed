// What would not fit into the store's documents, whatever the size of the wave: a workload lies in one document with its
// state, and what wave and groups say without their workloads in another.
import type { WavePlan } from '../model/plan.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type { Problem } from './problems.ts';

/** A character takes at most three bytes, a document of Cosmos DB 2 MB, and state and journal need room as well. */
const charactersAtMost = 300_000;

const fix = 'shorten its settings: checks, actions, commands';

/** Everything of a plan that is too long to be stored. */
export function tooLong(definition: WaveDefinition, { workloads }: Pick<WavePlan, 'workloads'>): Problem[] {
  const groups = definition.groups.map((group) => ({ ...group, workloads: [] }));
  return [
    ...ofOne({ ...definition, groups }, 'settings', 'what the wave and its groups say'),
    ...definition.groups
      .flatMap((group, g) => group.workloads.map((workload, w) => ({ workload, path: `groups[${g}].workloads[${w}]` })))
      .flatMap(({ workload, path }, index) =>
        ofOne({ workload, plan: workloads[index] }, path, `what workload "${workload.id}" is planned with`),
      ),
  ];
}

function ofOne(value: unknown, path: string, what: string): Problem[] {
  const { length } = JSON.stringify(value);
  if (length <= charactersAtMost) return [];
  return [{ path, value: length, message: `${what} has ${length} characters of at most ${charactersAtMost}`, fix }];
}
