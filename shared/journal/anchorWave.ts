import type { Store } from '../store/contract.ts';
import { anchorPages, anchorType } from './anchor.ts';

/** Writes down where every workload's journal of a wave ends now; once per operation id. All pages are one batch. */
export async function anchorWave(
  { journal, workloads }: Pick<Store, 'journal' | 'workloads'>,
  { waveId, operationId, reason, at }: { waveId: string; operationId: string; reason: string; at: string },
): Promise<void> {
  const heads = (await workloads.heads(waveId)).map(({ workloadId, head }) => ({ workloadId, ...head }));
  const entries = anchorPages(heads, reason).map((data) => ({
    id: `${operationId}.anchor.${data.page}`,
    time: at,
    source: 'platform',
    operationId,
    type: anchorType,
    data,
  }));
  await journal.append(waveId, entries);
}
