// What must hold in every world at every moment, and at the end of every story.
import { expect } from 'vitest';
import { fold } from '../../../shared/lifecycle/fold.ts';
import type { WorkloadDocument } from '../../../shared/store/documents.ts';
import type { FakeAzure } from './azure.ts';
import { quarantineGroupId } from './definitions.ts';
import type { FakeHosts } from './hosts.ts';
import type { World } from './world.ts';

/** Invariant 1: at most one of source and target may accept business writes. */
export function servingTwice(azure: FakeAzure, hosts: FakeHosts): string[] {
  return [...hosts.machines].flatMap(([id, { power, nicConnected, services }]) => {
    const source = power === 'on' && nicConnected && [...services.values()].includes('running');
    const target = azure.machine(id);
    const open = target !== undefined && target.securityGroupId !== quarantineGroupId;
    return source && open ? [`${id}: source and target both serve`] : [];
  });
}

/** Looks at the whole world when a story is over. */
export async function expectSound(world: World): Promise<void> {
  const { azure, appliances, bus, violations } = world;
  expect([...violations, ...azure.violations, ...appliances.violations, ...bus.violations]).toEqual([]);
  expect([...appliances.carriedOut].filter(([, times]) => times > 1)).toEqual([]);
  const failed = world.durable.query({}).instances.filter(({ runtimeStatus }) => runtimeStatus === 'Failed');
  expect(failed.map(({ instanceId, output }) => [instanceId, output])).toEqual([]);
  for (const { waveId, workloadId, state } of world.documents<WorkloadDocument>('state')) {
    const log = await world.capabilities.store.workloads.events(waveId, workloadId);
    expect(log.map(({ version }) => version)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ event }) => event.id)).size).toBe(log.length);
    expect(JSON.parse(JSON.stringify(fold(log.map(({ event }) => event))))).toEqual(state);
  }
}
