// The stage of the undo scenarios: a server that is read by its own agent and one that a worker reads, in one group.
import { Stage } from '../../../examples/harness/stage.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import type { WaveDefinition } from '../../../shared/model/wave.ts';
import { allowScripts, newPlace, type Place, planWave } from '../world.ts';

const servers = [
  { id: 'db-01', service: 'ledger', diskMiB: 32, dataMiB: 4 },
  { id: 'jobs-01', service: 'scheduler', diskMiB: 32, dataMiB: 4 },
];

export interface Set {
  place: Place;
  stage: Stage;
  plan: WavePlan;
}

export async function setStage(): Promise<Set> {
  const place = newPlace();
  const stage = await Stage.set(place.folder, servers);
  const plan = await planWave(
    stage,
    servers,
    (wave) => ({ ...wave, id: 'undone', groups: [oneGroup(wave)] }),
    allowScripts,
  );
  return { place, stage, plan };
}

function oneGroup({ groups }: WaveDefinition): WaveDefinition['groups'][number] {
  const [first] = groups;
  if (first === undefined) throw new Error('the example has no group');
  const workloads = groups
    .flatMap((group) => group.workloads)
    .filter(({ source }) => servers.some(({ id }) => id === source))
    .map((workload) => ({ ...workload, dependsOn: [] }))
    .map((workload) => (workload.source === 'db-01' ? withScript(workload) : workload));
  return { ...first, dependsOn: [], workloads };
}

/** What is run there says by its answer on which machine that was. */
const script = {
  kind: 'script',
  name: 'who it is',
  run: ['hostname'],
  undo: ['cat /etc/hostname'],
  within: 'PT1M',
} as const;

function withScript<W extends WaveDefinition['groups'][number]['workloads'][number]>(workload: W): W {
  const { cutover } = workload.settings ?? {};
  const actions = [script, ...(cutover?.actions ?? [])];
  return { ...workload, settings: { ...workload.settings, cutover: { ...cutover, actions } } };
}
