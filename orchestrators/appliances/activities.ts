// The life of appliances as far as the platform has a hand in it. One-time tokens are made and used up inside an
// activity: they never enter an orchestration's history.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { defineActivity, Nothing } from '../../shared/durable/activity.ts';
import { transient } from '../../shared/errors.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import type { Bootstrap } from '../../shared/protocol/enrolment.ts';

const tokenLifeMs = 2 * 3_600_000;

/** What to do about an appliance that is wanted: nothing (it works), wait (it was started), or start it with this bootstrap. */
export type Wanted = { state: 'healthy' } | { state: 'started' } | { state: 'start'; bootstrap: string };

/**
 * Registers an appliance and makes its one-time token. `present` tells whether what runs it exists already: then its
 * token is baked in and a new one would lock it out.
 */
export async function wantAppliance(
  { store, bus, config, now }: Capabilities,
  wanted: { environmentId: string; applianceId: string; kind: Bootstrap['kind']; operationId: string },
  present: boolean,
): Promise<Wanted> {
  const { environmentId, applianceId, kind, operationId } = wanted;
  const known = await store.appliances.get(applianceId);
  if (known?.status === 'healthy' && present) return { state: 'healthy' };
  if (known !== undefined && known.operationId !== operationId && known.status === 'awaited' && present)
    throw transient(
      'conflict',
      `Appliance ${applianceId} is being started by another wave.`,
      'It is looked at again until it is healthy.',
      5,
    );
  if (known !== undefined && present) {
    await store.appliances.change(applianceId, (appliance) =>
      appliance.operationId === operationId ? undefined : { ...appliance, operationId },
    );
    return { state: 'started' };
  }
  await bus.ensureSubscription(applianceId);
  const token = randomBytes(32).toString('base64url');
  await store.appliances.put({
    id: `appliance.${applianceId}`,
    kind: 'appliance',
    environmentId,
    applianceId,
    applianceKind: kind,
    status: 'awaited',
    tokenHash: createHash('sha256').update(token).digest('hex'),
    tokenExpiresAt: new Date(Date.parse(now()) + tokenLifeMs).toISOString(),
    operationId,
  });
  const bootstrap: Bootstrap = { enrolUrl: `${config.LANDFALL_PUBLIC_URL}/api/appliances/enrol`, token, kind };
  return { state: 'start', bootstrap: JSON.stringify(bootstrap) };
}

/** Takes an appliance's rights away and forgets it (idempotent). */
export const dismissAppliance = defineActivity({
  name: 'dismissAppliance',
  input: z.strictObject({ applianceId: z.string() }),
  output: Nothing,
  async effect({ store, bus }, { applianceId }) {
    await store.appliances.remove(applianceId);
    await bus.removeSubscription(applianceId);
    return null;
  },
});

/** Takes away the rights of the agents of a wave's committed workloads (idempotent). Their sources are off. */
export const retireAgentsOf = defineActivity({
  name: 'retireAgentsOf',
  input: z.strictObject({ waveId: z.string() }),
  output: Nothing,
  async effect({ store, bus }, { waveId }) {
    for (const { plan, state } of await store.workloads.list(waveId)) {
      if (plan.method !== 'agent' || state.phase !== Phase.committed) continue;
      await store.appliances.remove(plan.applianceId);
      await bus.removeSubscription(plan.applianceId);
    }
    return null;
  },
});
