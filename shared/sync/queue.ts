// The syncs of all workloads that wait for their turn: who may start now, and what the others wait for.
import type { Capabilities } from '../capabilities.ts';
import { admit, type QueuedSync, type Waiting } from '../policy/budgets.ts';
import { claimsOf } from '../policy/claims.ts';
import { coveredUntil } from '../policy/weekly.ts';
import type { WorkloadDocument } from '../store/documents.ts';

export interface Queued extends QueuedSync {
  workload: WorkloadDocument;
}

/** Judges the whole queue at this moment. */
export async function judgeQueue({
  store,
  config,
  now,
}: Pick<Capabilities, 'store' | 'config' | 'now'>): Promise<{ admitted: Queued[]; waiting: Waiting<Queued>[] }> {
  const busy = await store.workloads.withSync(['queued', 'running', 'stalled']);
  const isQueued = ({ state }: WorkloadDocument) => state.sync.status === 'queued';
  if (!busy.some(isQueued)) return { admitted: [], waiting: [] };
  const ids = [...new Set(busy.map(({ plan }) => plan.environmentId))];
  const environments = new Map(
    await Promise.all(ids.map(async (id) => [id, await store.environments.get(id)] as const)),
  );
  const claims = ({ plan }: WorkloadDocument) =>
    claimsOf(plan, environments.get(plan.environmentId), config.LANDFALL_SYNCS_AT_ONCE);
  const queued = busy.filter(isQueued).map((workload): Queued => {
    const { waveId, workloadId, plan, state } = workload;
    const kind = state.sync.kind ?? 'delta';
    return {
      workload,
      key: `${waveId}/${workloadId}`,
      kind,
      queuedAt: state.sync.queuedAt ?? state.updatedAt,
      claims: claims(workload),
      // An outage waits for the final one.
      heldUntil: kind === 'final' ? undefined : coveredUntil(plan.settings.sync.blackouts, now()),
    };
  });
  return admit(
    queued,
    busy.filter((workload) => !isQueued(workload)).map((workload) => ({ claims: claims(workload) })),
  );
}
