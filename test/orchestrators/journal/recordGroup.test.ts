import { expect, test } from 'vitest';
import { recordGroup } from '../../../orchestrators/journal/activities.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';

test('what comes late of a group that has ended does not bring it back; its next attempt does', async () => {
  const reach = fakeReach();
  await withWave(reach);
  const record = async (status: string, attempt: number) => {
    const input = { waveId: 'w1', groupId: 'shop', status, instanceId: `group-w1.shop-${attempt}` };
    await recordGroup.handle(reach, { operationId: `group-w1.shop-${attempt}:${status}`, attempt: 1, input });
    return (await reach.store.waves.get('w1'))?.groups['shop']?.status;
  };
  expect(await record('committed', 1)).toBe('committed');
  expect(await record('validating', 1)).toBe('committed');
  expect(await record('preparing', 2)).toBe('preparing');
});
