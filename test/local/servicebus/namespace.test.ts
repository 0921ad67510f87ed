import { expect, it } from 'vitest';
import { start, temporaryDirectory } from './harness.ts';

it('takes the shape of the emulator, with rules of subscriptions', async () => {
  const correlation = {
    FilterType: 'Correlation' as const,
    CorrelationFilter: { Label: 'red', Properties: { n: '1' } },
  };
  const bus = await start({
    Name: 'sbemulatorns',
    Queues: [
      { Name: 'q', Properties: { LockDuration: 'PT1M', MaxDeliveryCount: 3, RequiresSession: false, ForwardTo: '' } },
    ],
    Topics: [{ Name: 't', Subscriptions: [{ Name: 's', Rules: [{ Name: 'red', Properties: correlation }] }] }],
  });
  const admin = bus.admin();
  expect(await admin.getQueue('q')).toMatchObject({ maxDeliveryCount: 3, lockDuration: 'PT1M' });
  const filter = { subject: 'red', applicationProperties: { n: '1' } };
  expect(await admin.getRule('t', 's', 'red')).toMatchObject({ filter });
  expect(await admin.ruleExists('t', 's', '$Default')).toBe(false);
});

it('creates what is missing at every start and leaves what exists as it is', async () => {
  const dataDir = temporaryDirectory();
  const first = await start({ Queues: [{ Name: 'q', Properties: { MaxDeliveryCount: 3 } }] }, { dataDir });
  await first.stop();
  const second = await start(
    { Queues: [{ Name: 'q', Properties: { MaxDeliveryCount: 9 } }, { Name: 'new' }] },
    { dataDir },
  );
  expect((await second.admin().getQueue('q')).maxDeliveryCount).toBe(3);
  expect(await second.admin().queueExists('new')).toBe(true);
});

it('refuses a declaration that it cannot honour', async () => {
  const sql = { FilterType: 'Sql' as const, SqlFilter: { SqlExpression: 'colour = ' } };
  const topic = { Name: 't', Subscriptions: [{ Name: 's', Rules: [{ Name: 'r', Properties: sql }] }] };
  await expect(start({ Topics: [topic] })).rejects.toThrow(/column 10.*a value or a property/);
  await expect(start({ Queues: [{ Name: 'q', Properties: { ForwardTo: 'p' } }] })).rejects.toThrow(/ForwardTo/);
  await expect(start({ Queues: [{ Name: 'q', Properties: { LockDuration: '30' } }] })).rejects.toThrow(/ISO 8601/);
});
