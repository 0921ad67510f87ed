// Whether a wave may still be another one than the one that is stored.
import { idlePhases, type Phase } from '../lifecycle/phases.ts';
import type { WaveDocument } from '../store/documents.ts';

/**
 * Why a wave's plan is immutable now, with the way out; `undefined` if it may change. It may before the wave is started,
 * and again after it has ended with nothing in hand: every workload registered or withdrawn.
 */
export function whyImmutable(
  { waveId, status }: Pick<WaveDocument, 'waveId' | 'status'>,
  workloads: readonly { workloadId: string; phase: Phase }[],
  runs: boolean,
): string | undefined {
  if (runs || status === 'running' || status === 'attention')
    return `Wave ${waveId} runs, and a running plan never changes. Cancel it, or roll it back to "withdrawn", and change it once it has ended.`;
  if (status === 'committed') return `Wave ${waveId} has committed. Post another wave for what is left to do.`;
  const held = workloads.filter(({ phase }) => !idlePhases.has(phase));
  if (held.length === 0) return undefined;
  const named = held
    .slice(0, 5)
    .map(({ workloadId, phase }) => `${workloadId} is ${phase}`)
    .join(', ');
  const more = held.length > 5 ? ` and ${held.length - 5} more` : '';
  return `Wave ${waveId} has ended, but still has workloads in hand: ${named}${more}. Start it and cancel it, so that they are withdrawn, or post another wave for what is left.`;
}
