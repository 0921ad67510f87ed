// Notices silence, which no event tells: of appliances, of syncs, of people at a gate, of waves that have left
// clones, and of what is due after a commit.
import type { Capabilities } from '../../shared/capabilities.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { expire, expired } from '../../shared/policy/gates.ts';
import { isSilent, judgeSync } from '../../shared/policy/stall.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { dispatch, withdrawSync } from '../../shared/sync/dispatch.ts';
import type { Orchestrations } from '../orchestrations.ts';
import { askWhatIsDue } from './decommission.ts';
import { removeExpired } from './expiry.ts';

type Reach = Pick<Capabilities, 'store' | 'bus' | 'azure' | 'now' | 'config'>;

export async function watchdog(reach: Reach, orchestrations: Orchestrations): Promise<void> {
  const alive = await watchAppliances(reach);
  for (const workload of await reach.store.workloads.withSync(['running', 'stalled']))
    await watchSync(reach, workload, alive);
  const waves = await reach.store.waves.list();
  await watchGates(reach, waves);
  await removeExpired(reach, orchestrations, waves);
  await askWhatIsDue(reach, orchestrations, waves);
}

/** Marks the appliances that have fallen silent; returns those that are alive. */
async function watchAppliances({ store, now, config }: Reach): Promise<ReadonlySet<string>> {
  const alive = new Set<string>();
  for (const { applianceId, status, heardAt } of await store.appliances.list()) {
    if (status !== 'healthy') continue;
    if (!isSilent(heardAt, config.LANDFALL_HEARTBEAT_SECONDS, now())) alive.add(applianceId);
    else
      await store.appliances.change(applianceId, (current) =>
        current.status === 'healthy' && isSilent(current.heardAt, config.LANDFALL_HEARTBEAT_SECONDS, now())
          ? { ...current, status: 'silent' }
          : undefined,
      );
  }
  return alive;
}

async function watchSync(reach: Reach, workload: WorkloadDocument, alive: ReadonlySet<string>): Promise<void> {
  const { store, now } = reach;
  const { waveId, workloadId, plan, state } = workload;
  const { syncId, kind, operationId, attempt } = state.sync;
  if (syncId === undefined || kind === undefined) return;
  const verdict = judgeSync(state.sync, plan.settings.sync.stallAfter, alive.has(plan.applianceId), now());
  switch (verdict.what) {
    case 'stalled': {
      // A sync may stall, recover and stall again within one attempt: when it was last heard tells these apart.
      const id = `${operationId}.stalled.${attempt}.${Date.parse(state.sync.heardAt ?? state.updatedAt)}`;
      const event: PlatformEvent = {
        id,
        time: now(),
        source: 'platform',
        operationId,
        type: 'landfall.sync.stalled',
        data: { syncId, kind, silentSeconds: verdict.silentSeconds },
      };
      await store.workloads.append(waveId, workloadId, [event]);
      return;
    }
    case 'dispatch':
      await dispatch(reach, workload, verdict.attempt, 'silent, and its appliance is alive');
      return;
    case 'withdraw':
      await withdrawSync(reach, plan, `watchdog:${operationId}`, verdict.reason);
  }
}

async function watchGates({ store, now }: Reach, waves: readonly WaveDocument[]): Promise<void> {
  for (const { waveId } of waves.filter(({ status }) => status === 'running' || status === 'attention'))
    for (const gate of await store.gates.list(waveId))
      if (expired(gate, now()))
        await store.gates.change(waveId, gate.id, (current) =>
          expired(current, now()) ? expire(current, now()) : undefined,
        );
}
