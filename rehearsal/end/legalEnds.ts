import { isFor } from '../../shared/policy/addressees.ts';
import type { ControlDocument, GroupStatus, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
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
const phaseEnds: ReadonlySet<string> = new Set(['registered', 'replicating', 'committed', 'withdrawn', 'unregistered']);

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
      .flatMap(({ waveId }) => workloads.filter((each) => each.waveId === waveId && !isOver(each)))
      .map(({ waveId, workloadId, state }) => `wave ${waveId} committed, and its ${workloadId} is ${state.phase}`),
    ...cancelledInVain(world),
    ...world.openGates().map(({ waveId, id }) => `gate ${waveId}/${id} is still open`),
    ...world.openQuestions().map(({ waveId, step }) => `a question about ${step} of ${waveId} is still open`),
  ];
}

/** After a cancel nothing of the wave goes on replicating, whatever its groups had come to before. A later start is another story. */
export function cancelledInVain(world: World): string[] {
  const cancels = world.documents<ControlDocument>('control').filter(({ signal }) => signal.action === 'cancel');
  return world
    .documents<WaveDocument>('wave')
    .filter(
      ({ waveId, status, startedAt = '' }) =>
        status === 'cancelled' ||
        cancels.some((order) => order.waveId === waveId && isFor(order, `wave-${waveId}`) && order.at >= startedAt),
    )
    .flatMap(({ waveId }) =>
      world
        .documents<WorkloadDocument>('state')
        .filter((each) => each.waveId === waveId && each.state.phase === 'replicating')
        .map(({ workloadId }) => `wave ${waveId} was cancelled, and its ${workloadId} goes on replicating`),
    );
}

/** Who has gone to another wave, or was left out by a version, is nothing of this wave any more. */
function isOver({ state }: WorkloadDocument): boolean {
  return state.phase === 'committed' || state.phase === 'unregistered';
}
