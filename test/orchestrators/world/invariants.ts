// What must hold at the end of every story; the world's monitor looks for what breaks on the way.
import { expect } from 'vitest';
import { verifyWave } from '../../../shared/journal/verifyWave.ts';
import { fold } from '../../../shared/lifecycle/fold.ts';
import type { WaveDocument, WorkloadDocument } from '../../../shared/store/documents.ts';
import type { World } from './world.ts';

/** Looks at the whole world when a story is over. */
export async function expectSound(world: World): Promise<void> {
  expect(world.monitor.findings).toEqual([]);
  const failed = world.durable.query({}).instances.filter(({ runtimeStatus }) => runtimeStatus === 'Failed');
  expect(failed.map(({ instanceId, output }) => [instanceId, output])).toEqual([]);
  for (const { waveId } of world.documents<WaveDocument>('wave'))
    expect(await verifyWave(world.capabilities.store, waveId)).toMatchObject({ misfits: [], open: [] });
  for (const { waveId, workloadId, state } of world.documents<WorkloadDocument>('state')) {
    const log = await world.capabilities.store.workloads.events(waveId, workloadId);
    expect(log.map(({ version }) => version)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ event }) => event.id)).size).toBe(log.length);
    expect(JSON.parse(JSON.stringify(fold(log.map(({ event }) => event))))).toEqual(state);
  }
}
