import { afterAll, expect, it } from 'vitest';
import { createCapacity } from '../../../shared/azure/capacity.ts';
import { createClients } from '../../../shared/azure/clients.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { credentialOf, limited, owner, scope, startWorld, subscriptionId } from '../../local/arm/world.ts';
import { environment } from '../../fakes/definitions.ts';

trustCa((await ensurePki(undefined)).ca);
const world = await startWorld({
  declared: {
    subscriptions: [
      {
        subscriptionId,
        location: 'westeurope',
        quota: { cores: 10, standardDSv5Family: 4 },
        restricted: ['Standard_E8s_v5'],
      },
    ],
    roleAssignments: [{ scope: `${scope}/resourceGroups/landing`, principalId: limited, roleName: 'Reader' }],
  },
});
afterAll(() => world.stop());
const north = { ...environment, subscriptionId, region: 'westeurope' };
const asked = (oid: string) => createCapacity(createClients(world.arm.endpoint, credentialOf(oid)))(north);

it('knows what a subscription may use in a region, and what it uses', async () => {
  const capacity = await asked(owner);
  if (!capacity.known) throw new Error(capacity.reason);
  const { usages, sizes } = capacity.facts;
  expect(usages).toContainEqual({ name: 'standardDSv5Family', used: 0, limit: 4 });
  expect(sizes.find(({ name }) => name === 'Standard_D4s_v5')).toEqual({
    ...{ name: 'Standard_D4s_v5', family: 'standardDSv5Family', cores: 4, restriction: undefined },
  });
  expect(sizes.find(({ name }) => name === 'Standard_E8s_v5')?.restriction).toBe('NotAvailableForSubscription');
});

it('says who lacks which right where the planning identity may not ask', async () => {
  expect(await asked(limited)).toEqual({
    known: false,
    reason: `The planning identity may not read usages and sizes of subscription ${subscriptionId}; grant it Reader there.`,
  });
});

it('asks once for many who ask at the same time, and again after a while', async () => {
  let now = 0;
  const clients = createClients(world.arm.endpoint, credentialOf(owner));
  const compute = clients.compute(subscriptionId);
  let lists = 0;
  const list = (region: string) => {
    lists++;
    return compute.usage.list(region);
  };
  const counted = Object.create(compute, { usage: { value: { list } } }) as typeof compute;
  const capacity = createCapacity({ ...clients, compute: () => counted }, () => now);
  await Promise.all(Array.from({ length: 50 }, () => capacity(north)));
  expect(lists).toBe(1);
  now = 60_000;
  await capacity(north);
  expect(lists).toBe(2);
});
