// New versions of a wave that has not begun, and workloads that go to another wave: before the first start, and between
// two starts.
import type { Chance } from '../../local/durable/chance.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import { type Doings, reason } from './doings.ts';

export type Change = 'version' | 'move';

/** Draws some changes, in the order in which they are made. */
export function drawChanges(chance: Chance): Change[] {
  return Array.from({ length: chance.below(3) }, () => (chance.happens(0.5) ? 'version' : 'move'));
}

/** Makes a change, if anybody lets it be made. */
export async function makeChange(doings: Doings, change: Change): Promise<void> {
  const { world } = doings;
  const waves = world.documents<{ kind: 'wave'; waveId: string }>('wave').map(({ waveId }) => waveId);
  if (change === 'version') return revise(doings, doings.pick(waves));
  // Of a wave that has only one nobody may go.
  const [from = ''] = waves.toSorted((a, b) => world.plans(b).length - world.plans(a).length);
  const others = waves.filter((waveId) => waveId !== from);
  if (others.length === 0) return;
  const to = doings.pick(others);
  const { workloadId: wid } = doings.pick(world.plans(from));
  const body = { to, group: doings.pick(world.wave(to).plan.groups).id, dependsOn: [], reason };
  await doings.ask(`move ${wid} from ${from} to ${to}`, 'workloadsMove', { id: from, wid }, body);
}

async function revise(doings: Doings, id: string): Promise<void> {
  const { plan, revision } = doings.world.wave(id);
  const { definition } = await doings.world.capabilities.store.plans.whole(plan);
  const posted = structuredClone(definition);
  doings.pick([withoutSomebody, byOtherMeans, inOtherWays])(posted, doings);
  const sent = { query: { reason }, headers: { 'if-match': `"${revision?.version ?? 1}"` } };
  await doings.ask(`change ${id}`, 'wavesPut', { id }, WaveDefinition.parse(posted), undefined, sent);
}

/** The last workload of a wave stays out of it from now on, if it is not the only one. */
function withoutSomebody({ groups }: WaveDefinition): void {
  const last = groups.at(-1);
  if (last !== undefined && last.workloads.length > 1) last.workloads.pop();
  else if (groups.length > 1) groups.pop();
}

/** A workload's disks are read in the other way. */
function byOtherMeans({ groups }: WaveDefinition, doings: Doings): void {
  const workload = doings.pick(groups.flatMap(({ workloads }) => workloads));
  workload.method = workload.method === 'agent' ? 'agentless' : 'agent';
}

function inOtherWays(posted: WaveDefinition, doings: Doings): void {
  posted.onFailure = doings.pick(['hold', 'rollBack', 'goOn'] as const);
  posted.onOverrun = doings.pick(['ask', 'rollBack'] as const);
  posted.gates.uat.required = !posted.gates.uat.required;
}
