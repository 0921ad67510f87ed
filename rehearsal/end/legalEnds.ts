import type { GroupStatus, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import type { World } from '../world/world.ts';

const waveEnds: ReadonlySet<WaveDocument['status']> = new Set([
  'committed',
  'rolledBack',
  'cancelled',
  'incomplete',
  'failed',
  'planned',
]);
const groupEnds: ReadonlySet<GroupStatus['status']> = new Set([
  'committed',
  'incomplete',
  'rolledBack',
  'held',
  'planned',
  'failed',
]);
const phaseEnds: ReadonlySet<string> = new Set(['registered', 'replicating', 'committed', 'withdrawn']);

/** Every wave, group and workload has come to an end that the domain knows, and nobody is asked anything any more. */
export function legalEnds(world: World): string[] {
  const waves = world.documents<WaveDocument>('wave');
  const workloads = world.documents<WorkloadDocument>('state');
  return [
    ...waves.filter(({ status }) => !waveEnds.has(status)).map(({ waveId, status }) => `wave ${waveId} is ${status}`),
    ...waves.flatMap(({ waveId, groups }) =>
      Object.entries(groups)
        .filter(([, { status }]) => !groupEnds.has(status))
        .map(([id, { status }]) => `group ${id} of ${waveId} is ${status}`),
    ),
    ...workloads
      .filter(({ state }) => !phaseEnds.has(state.phase))
      .map(({ waveId, workloadId, state }) => `workload ${waveId}/${workloadId} is ${state.phase}`),
    ...waves
      .filter(({ status }) => status === 'committed')
      .flatMap(({ waveId }) => workloads.filter((each) => each.waveId === waveId && each.state.phase !== 'committed'))
      .map(({ waveId, workloadId, state }) => `wave ${waveId} committed, and its ${workloadId} is ${state.phase}`),
    ...world.openGates().map(({ waveId, id }) => `gate ${waveId}/${id} is still open`),
    ...world.openQuestions().map(({ waveId, step }) => `a question about ${step} of ${waveId} is still open`),
  ];
}
