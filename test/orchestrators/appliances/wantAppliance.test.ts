// An appliance that several waves want has one token and one that waits for it; the others look again.
import { beforeEach, expect, it } from 'vitest';
import { untilStarted, wantAppliance } from '../../../orchestrators/appliances/activities.ts';
import { MigrationError } from '../../../shared/errors.ts';
import { type FakeReach, fakeReach } from '../../fakes/reach.ts';

const applianceId = 'target-west';
const wanted = (wave: string) => ({
  environmentId: 'west',
  applianceId,
  kind: 'target' as const,
  operationId: `wave-${wave}:1:applianceHealthy:${applianceId}`,
});
const busy = expect.objectContaining({ failure: expect.objectContaining({ code: 'conflict', kind: 'transient' }) });

let reach: FakeReach;
const stored = async () => {
  const appliance = await reach.store.appliances.get(applianceId);
  if (appliance === undefined) throw new Error('it is not registered');
  return appliance;
};
const want = (wave: string, present: boolean) => wantAppliance(reach, wanted(wave), present);

beforeEach(() => {
  reach = fakeReach();
});

it('of two waves that want it at the same moment, one starts it and the other looks again', async () => {
  const both = await Promise.allSettled([want('one', false), want('two', false)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(refused.reason).toBeInstanceOf(MigrationError);
  expect(refused.reason).toEqual(busy);
});

it('whoever waits for it is not replaced by another, before and after it has enrolled', async () => {
  await want('one', false);
  const { tokenHash } = await stored();
  await expect(want('two', false)).rejects.toEqual(busy);
  await expect(want('two', true)).rejects.toEqual(busy);
  await reach.store.appliances.change(applianceId, (appliance) => ({ ...appliance, status: 'enrolled' }));
  await expect(want('two', true)).rejects.toEqual(busy);
  expect(await stored()).toMatchObject({ operationId: wanted('one').operationId, tokenHash });
});

it('is taken as it is once it is healthy', async () => {
  await want('one', false);
  await reach.store.appliances.change(applianceId, ({ operationId: _told, ...appliance }) => ({
    ...appliance,
    status: 'healthy',
  }));
  expect(await want('two', true)).toEqual({ state: 'healthy' });
});

it('an activity that runs twice gets a token each time', async () => {
  await want('one', false);
  expect(await want('one', false)).toMatchObject({ state: 'start' });
});

it('is started anew when whoever asked for it has not done so in ten minutes', async () => {
  await want('one', false);
  reach.pass(11 * 60_000);
  expect(await want('two', false)).toMatchObject({ state: 'start' });
  expect((await stored()).operationId).toBe(wanted('two').operationId);
});

it('is looked at again for longer than a start may take', () => {
  const { attempts, maxDelayMs } = untilStarted;
  expect(attempts * Math.min(maxDelayMs, 10_000)).toBeGreaterThanOrEqual(10 * 60_000);
});
