// What stories of these tests end with, said once.
import { expect } from 'vitest';
import { environment } from './definitions.ts';
import type { World } from './world.ts';

/** A failure as an activity answers it. */
export const broken = {
  code: 'azureRejected' as const,
  kind: 'terminal' as const,
  message: 'Azure said no.',
  suggestion: 'Mend it.',
};
export const busy = { ...broken, code: 'unavailable' as const, kind: 'transient' as const };
export const throttled = { ...broken, code: 'throttled' as const, kind: 'throttled' as const, retryAfterSeconds: 90 };

/** How many waves hold the environment. */
const leases = (world: World): Promise<number> =>
  world.capabilities.store.environments.release(environment.id, 'nobody');

export const leaseKept = async (world: World): Promise<void> => {
  expect(await leases(world)).toBe(1);
  expect(world.azure.rolesGranted).toBe(true);
  expect(await world.capabilities.store.appliances.get('target-west')).toMatchObject({ status: 'healthy' });
};

/** Nothing that the wave made is left: no lease, no roles, no appliances, no worker, no agents, no machines. */
export const nothingLeft = async (world: World): Promise<void> => {
  expect(await leases(world)).toBe(0);
  expect(world.azure.rolesGranted).toBe(false);
  expect(world.azure.names()).toEqual([]);
  expect(await world.capabilities.store.appliances.list()).toEqual([]);
  expect([...world.bus.subscriptions]).toEqual([]);
  expect([...world.hosts.workers]).toEqual([]);
  const agents = [...world.hosts.machines.values()].filter(({ agent, power }) => power === 'on' && agent !== undefined);
  expect(agents.map(({ source }) => source.id)).toEqual([]);
};

/** The source serves as it did before the wave, its start modes as given, and no clone, target, NIC or disk is there. */
export function servesAsBefore(
  world: World,
  id: string,
  services: Record<string, string>,
  startModes: Record<string, string> = id === 'db-01' ? { engine: 'automatic', reports: 'automatic' } : {},
): void {
  const { power, nicConnected, services: found, startModes: modes } = world.hosts.machine(id);
  const seen = { services: Object.fromEntries(found), startModes: Object.fromEntries(modes) };
  expect({ power, nicConnected, ...seen }).toEqual({
    power: 'on',
    nicConnected: true,
    services,
    startModes,
  });
  expect(world.azure.names().filter((name) => name.includes(`/${id}`))).toEqual([]);
  expect(world.azure.names().filter((name) => name.startsWith('securityGroup'))).toEqual([]);
  expect(world.azure.records.get(`A ${id}`)).toEqual(
    id === 'app-01' ? undefined : { ttlSeconds: 300, values: ['10.9.9.9'] },
  );
}

/** How often something was really done. */
export const times = (world: World, change: string): number => world.changes.filter((each) => each === change).length;
