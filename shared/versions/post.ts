// A new wave, in three acts: what grows with its workloads is stored in parts that nobody sees, its document names them,
// whole or not at all, and then every workload is registered. A crash before the second act leaves no wave, one after it
// a whole wave; whoever starts or changes that wave, or posts it again, finishes the third act first.
import { terminal } from '../errors.ts';
import type { StoredPlan, WavePlan } from '../model/plan.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type { Store } from '../store/contract.ts';
import type { WaveDocument } from '../store/documents.ts';
import { settle } from './settle.ts';

/** Stores a new wave. Throws `conflict` if its id is taken, unless the same person's same wave was left unfinished there. */
export async function post(
  store: Store,
  { definition, plan, by, at }: { definition: WaveDefinition; plan: WavePlan; by: string; at: string },
): Promise<void> {
  const { waveId } = plan;
  const stored = await store.plans.put(definition, plan);
  const wave: WaveDocument = {
    ...{ id: 'wave', kind: 'wave', waveId, plan: stored, settled: false, status: 'planned' },
    ...{ createdBy: by, createdAt: at, attempt: 0, groups: plannedGroups(stored, at) },
  };
  const there = await store.waves.create(wave);
  const unfinished = !there.settled && there.plan.hash === plan.hash && there.createdBy === by;
  if (there !== wave && !unfinished)
    throw terminal('conflict', `Wave ${waveId} exists already.`, 'Choose another id; a stored plan never changes.');
  await settle(store, waveId);
}

/** How the groups of a plan stand that nothing was done about yet. */
export function plannedGroups({ groups }: StoredPlan, updatedAt: string): WaveDocument['groups'] {
  return Object.fromEntries(groups.map(({ id }) => [id, { status: 'planned', updatedAt }]));
}
