// When the time after a commit is over, people are asked whether points and sources may go; an orchestration asks, and
// waits. Nothing here deletes anything.
import type { Capabilities } from '../../shared/capabilities.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { dueOf } from '../../shared/policy/decommission.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { membersOf } from '../../shared/store/plans.ts';
import type { Orchestrations } from '../orchestrations.ts';

type Reach = Pick<Capabilities, 'store' | 'now'>;

export async function askWhatIsDue(
  reach: Reach,
  orchestrations: Orchestrations,
  waves: readonly WaveDocument[],
): Promise<void> {
  for (const wave of waves)
    for (const [groupId, { dueAt, asking }] of Object.entries(wave.decommission ?? {})) {
      if (asking !== undefined) await keepAsking(reach, orchestrations, wave, groupId, asking);
      else if (dueAt !== undefined && dueAt <= reach.now()) await ask(reach, orchestrations, wave, groupId, dueAt);
    }
}

/** Takes down that the group is asked about, then starts what asks: after a crash between the two, at the next look. */
async function ask(
  { store }: Reach,
  orchestrations: Orchestrations,
  wave: WaveDocument,
  groupId: string,
  dueAt: string,
): Promise<void> {
  const { waveId } = wave;
  const asking = `decommission-${waveId}.${groupId}-${dueAt.replaceAll(/\D/g, '')}`;
  await store.waves.change(waveId, (current) => {
    const { [groupId]: standing, ...others } = current.decommission ?? {};
    if (standing?.dueAt !== dueAt || standing.asking !== undefined) return undefined;
    return { ...current, decommission: { ...others, [groupId]: { asking } } };
  });
  await start(orchestrations, wave, groupId, asking);
}

function start(orchestrations: Orchestrations, { waveId, plan }: WaveDocument, groupId: string, instanceId: string) {
  const environmentId = plan.environment.id;
  return orchestrations.start('decommission', instanceId, { waveId, groupId, environmentId });
}

/** One that was never started is; one that ended without an answer is replaced by a new question. */
async function keepAsking(
  { store, now }: Reach,
  orchestrations: Orchestrations,
  wave: WaveDocument,
  groupId: string,
  instanceId: string,
): Promise<void> {
  const standing = await orchestrations.standing(instanceId);
  if (standing === 'active') return;
  if (standing === 'absent') return start(orchestrations, wave, groupId, instanceId);
  // Whatever settles a question says so before it ends: this one's orchestration broke or was terminated.
  const { waveId } = wave;
  const current = await store.waves.get(waveId);
  if (current?.decommission?.[groupId]?.asking !== instanceId) return;
  const gate = await store.gates.get(waveId, `gate.${instanceId}`);
  if (gate !== undefined)
    await store.gates.change(waveId, gate.id, (open) =>
      open.status === 'open' ? { ...open, status: 'withdrawn' } : undefined,
    );
  const dueAt = now();
  const event: PlatformEvent = {
    ...{ id: `${instanceId}:again.due`, time: dueAt, source: 'platform', operationId: `${instanceId}:again` },
    type: 'landfall.decommission.scheduled',
    data: { dueAt, reason: 'the orchestration that asked ended without an answer' },
  };
  for (const workloadId of dueOf(await membersOf(store, current, groupId), dueAt))
    await store.workloads.append(waveId, workloadId, [event]);
  await store.waves.change(waveId, (latest) =>
    latest.decommission?.[groupId]?.asking === instanceId
      ? { ...latest, decommission: { ...latest.decommission, [groupId]: { dueAt } } }
      : undefined,
  );
}
