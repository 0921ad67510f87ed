import { expect, it } from 'vitest';
import { wantAppliance } from '../../../orchestrators/appliances/activities.ts';
import { terminal } from '../../../shared/errors.ts';
import { dismiss } from '../../../shared/store/appliances.ts';
import { fakeReach } from '../../fakes/reach.ts';

const applianceId = 'agent-db-01';

it('is forgotten last: where its subscription stays, it has no rights and can still be revoked by its name', async () => {
  const reach = fakeReach();
  await wantAppliance(reach, { environmentId: 'west', applianceId, kind: 'agent', operationId: 'prepare:1' }, false);
  const remove = reach.bus.removeSubscription;
  reach.bus.removeSubscription = () => Promise.reject(terminal('azureRejected', 'The bus said no.', 'Look at it.'));
  await expect(dismiss(reach, applianceId)).rejects.toThrow('The bus said no.');
  const left = await reach.store.appliances.get(applianceId);
  expect(left).toMatchObject({ status: 'revoked' });
  expect(left).not.toHaveProperty('tokenHash');

  reach.bus.removeSubscription = remove;
  await dismiss(reach, applianceId);
  expect(await reach.store.appliances.get(applianceId)).toBeUndefined();
  await dismiss(reach, applianceId);
});
