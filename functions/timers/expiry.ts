// Removes clones that nobody will remove any more: of waves that crashed or were terminated, once the time is over that
// their plan gives clones. What an orchestration holds it removes itself, however late that is.
import type { Capabilities } from '../../shared/capabilities.ts';
import { MigrationError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/model/environment.ts';
import { type Expired, expiredClones, type Owned } from '../../shared/policy/expiry.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { cloneParts, resourceNames } from '../../shared/store/plans.ts';
import type { Orchestrations } from '../orchestrations.ts';

type Reach = Pick<Capabilities, 'store' | 'azure' | 'now'>;

const names = { parts: cloneParts, securityGroup: resourceNames.isolationGroup };

export async function removeExpired(
  reach: Reach,
  orchestrations: Orchestrations,
  waves: readonly WaveDocument[],
): Promise<void> {
  for (const environment of await reach.store.environments.list()) {
    const owned = await clonesIn(reach, environment);
    const known = new Set(owned.map(({ tags }) => tags['landfall:wave']));
    for (const wave of waves) {
      if (!known.has(wave.waveId) || wave.plan.environment.id !== environment.id) continue;
      const expired = expiredClones(owned, await planned(reach, wave, owned), names, reach.now());
      if (expired.length > 0 && !(await isHeld(orchestrations, wave)))
        await remove(reach, orchestrations, wave, expired);
    }
  }
}

/** The plan of a wave, as far as clones are there: who is in which group, and what those are planned with. */
async function planned({ store }: Reach, { waveId, plan }: WaveDocument, owned: readonly Owned[]) {
  const ids = owned.filter(({ tags }) => tags['landfall:wave'] === waveId).map(({ tags }) => tags['landfall:workload']);
  const workloads = await store.workloads.some(waveId, [...new Set(ids.filter((id) => id !== undefined))]);
  return { waveId, groups: await store.plans.groups(plan), workloads: workloads.map((workload) => workload.plan) };
}

/** The clones in an environment. Where no wave holds it nobody has the right to look; whoever cannot look now, looks later. */
async function clonesIn({ store, azure }: Reach, environment: Environment) {
  if ((await store.environments.holders(environment.id)).length === 0) return [];
  try {
    return await azure.compute.listOwned(environment, 'purpose', 'test');
  } catch (error) {
    if (error instanceof MigrationError && error.failure.kind !== 'terminal') return [];
    throw error;
  }
}

/** Whether anybody runs who may still remove them: the wave, or a group whose parent has gone. */
async function isHeld(orchestrations: Orchestrations, { waveId, attempt, plan }: WaveDocument): Promise<boolean> {
  const groups = plan.groups.map(({ id }) => `group-${waveId}.${id}-${attempt}`);
  for (const instanceId of [`wave-${waveId}`, ...groups])
    if ((await orchestrations.standing(instanceId)) === 'active') return true;
  return false;
}

/** The decision first, then what it decides: once a day, until nothing is left. */
async function remove(
  { store, now }: Reach,
  orchestrations: Orchestrations,
  { waveId, plan }: WaveDocument,
  expired: readonly Expired[],
): Promise<void> {
  const day = now().slice(0, 10);
  const instanceId = `expire-${waveId}-${day}`;
  if ((await orchestrations.standing(instanceId)) !== 'absent') return;
  const reason = 'the time that the plan gives clones is over, and no orchestration holds this wave any more';
  const data = { reason, parts: expired.flatMap(({ parts }) => parts), groups: expired.map(({ groupId }) => groupId) };
  const entry = { id: instanceId, time: now(), source: 'platform', type: 'landfall.clones.expired', data };
  await store.journal.append(waveId, [entry]);
  const groups = expired.map(({ groupId, workloadIds, parts }) => ({
    ...{ groupId, workloadIds },
    withSecurityGroup: parts.includes(resourceNames.isolationGroup(waveId, groupId)),
  }));
  await orchestrations.start('expire', instanceId, { waveId, environmentId: plan.environment.id, day, groups });
}
