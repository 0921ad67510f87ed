import { afterEach, beforeEach, expect, test } from 'vitest';
import { stopServices } from '../../../orchestrators/steps/09-stop-services/step.ts';
import { doByHand } from '../../../rehearsal/story/byHand.ts';
import type { AttentionDocument } from '../../../shared/store/documents.ts';
import { onlyDb } from '../../orchestrators/world/definitions.ts';
import { World } from '../../orchestrators/world/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open({ change: onlyDb, replay: 'live' });
});
afterEach(() => world.close());

const asked = (todo: string[]) => ({ waveId: 'w1', todo }) as unknown as AttentionDocument;

test('whoever does by hand does what the list says, and nothing else', async () => {
  for (const service of ['engine', 'reports']) world.hosts.setService('db-01', service, 'stopped');
  world.hosts.setStartMode('db-01', 'engine', 'manual');
  const before = { services: [{ name: 'engine', state: 'running', startMode: 'automatic', detail: '' } as const] };
  await doByHand(world, asked(stopServices.todo({ waveId: 'w1', workloadId: 'db' }, before)));
  const { services, startModes } = world.hosts.machine('db-01');
  expect(Object.fromEntries(services)).toEqual({ engine: 'running', reports: 'stopped' });
  expect(startModes.get('engine')).toBe('automatic');
  expect(world.monitor.findings).toEqual([]);
});

test('a list in words that nobody can follow is found', async () => {
  await doByHand(world, asked(['make everything as it was']));
  expect(world.monitor.findings).toMatchObject([{ what: 'make everything as it was' }]);
});
