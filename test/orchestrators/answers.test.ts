// Every command that a wave sends may be answered by whoever it was sent to, and by no other workload's appliance.
import { afterEach, expect, test } from 'vitest';
import { isOfAppliance, isOfWorkload } from '../../functions/servicebus/answers.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(() => world.close());

test('whoever is asked may answer, and nobody else', async () => {
  world = await World.open();
  world.script.once('applyAction', () => world.people.rollBack('withdrawn', 'shop'), {
    matches: ({ workloadId }) => workloadId === 'app',
  });
  await world.start();
  await world.ended();
  const plans = world.workloads('w1').map(({ plan }) => plan);
  const types = new Set<string>();
  for (const { command } of world.bus.sent) {
    const { type, operationId, aud, data } = command;
    types.add(type);
    if (!('workloadId' in data)) {
      expect([operationId, isOfAppliance(aud, operationId)]).toEqual([operationId, true]);
      expect(isOfAppliance('worker-elsewhere', operationId)).toBe(false);
      continue;
    }
    const able = plans.filter((workload) => isOfWorkload(workload, operationId));
    const wanted = plans.filter(({ workloadId }) => workloadId === data.workloadId);
    const { length } = operationId.startsWith('deltas:') ? plans : wanted;
    expect([operationId, able.includes(wanted[0]!), able.length]).toEqual([operationId, true, length]);
  }
  expect([...types]).toEqual(
    expect.arrayContaining([
      'landfall.worker.verify',
      'landfall.services.start',
      'landfall.check.run',
      'landfall.source.describe',
    ]),
  );
});

test.each(['leave-w1.db-1:startServices:db:1', 'withdraw-w1.db-1:stopSync:1'])(
  'whoever walks back alone, or after its group, is answered by its own appliances: %s',
  (operationId) => {
    const may = (workloadId: string) => isOfWorkload({ waveId: 'w1', workloadId }, operationId);
    expect([may('db'), may('app')]).toEqual([true, false]);
  },
);
