import { CosmosClient, type ErrorResponse } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { masterKey } from './declarations.ts';
import { startWithKey } from './fixture.ts';

let now = Date.now();
const { server, client } = await startWithKey({ isThrottled: true, clock: () => now });
const database = client.database('test');
const hasty = new CosmosClient({
  endpoint: server.endpoint,
  key: masterKey,
  connectionPolicy: { retryOptions: { maxRetryAttemptCount: 0 } },
});

describe('provisioned throughput', () => {
  it('is refused with 429 when it is used up, with the time after which there is some again', async () => {
    await database.containers.create({ id: 'small', partitionKey: '/id', throughput: 400 });
    const small = hasty.database('test').container('small');
    let refusal: ErrorResponse | undefined;
    let charged = 0;
    for (let n = 0; n < 100 && !refusal; n++) {
      await small.items.create({ id: `${n}` }).then(
        ({ requestCharge }) => (charged += requestCharge),
        (error: ErrorResponse) => (refusal = error),
      );
    }
    expect(refusal).toMatchObject({ code: 429, substatus: 3200, retryAfterInMs: expect.any(Number) });
    expect(refusal?.message).toContain('400 request units');
    expect(charged).toBeGreaterThanOrEqual(400);
    expect(charged).toBeLessThan(407);
    now += Number(refusal?.retryAfterInMs);
    expect((await small.items.create({ id: 'again' })).statusCode).toBe(201);
  });

  it('is waited for by a client that may retry', async () => {
    await database.containers.create({ id: 'waiting', partitionKey: '/id', throughput: 400 });
    const waiting = database.container('waiting');
    // Charged when it is done, as in the service: the next one has to wait until the debt is paid.
    await waiting.items.create({ id: 'large', text: 'x'.repeat(700 * 1024) });
    const timer = setInterval(() => (now += 2), 2);
    const created = await waiting.items.create({ id: 'small' });
    clearInterval(timer);
    expect(created.statusCode).toBe(201);
    expect(Number(created.headers['x-ms-throttle-retry-count'])).toBeGreaterThan(0);
  });

  it('of a container that was given none has no limit', async () => {
    const { container } = await database.containers.create({ id: 'free', partitionKey: '/id' });
    const some = Array.from({ length: 100 }, (_, n) => container.items.create({ id: `${n}` }));
    expect(await Promise.all(some)).toHaveLength(100);
    expect((await container.readOffer()).resource).toBeUndefined();
  });

  it.each([150, 50, -100])('cannot be %i', async (throughput) => {
    const made = database.containers.create({ id: 'odd', partitionKey: '/id', throughput });
    await expect(made).rejects.toMatchObject({ code: 400 });
    expect(
      (await database
        .container('odd')
        .read()
        .catch(({ code }) => code)) as unknown,
    ).toBe(404);
  });
});

describe('a read whose session has seen more than there is', () => {
  it('is told so with 404 and substatus 1002, and the client asks again without its session', async () => {
    const waves = client.database('test').container('waves');
    await waves.items.create({ id: 'a', waveId: 'w' });
    const failures = async (sessionToken: string) => {
      const { diagnostics, resources } = await waves.items
        .query('SELECT * FROM c', { sessionToken, partitionKey: 'w' })
        .fetchAll();
      expect(resources).toHaveLength(1);
      return diagnostics.clientSideRequestStatistics.retryDiagnostics.failedAttempts.map(
        ({ statusCode }) => statusCode,
      );
    };
    const { headers } = await waves.item('a', 'w').read();
    expect(await failures(String(headers['x-ms-session-token']))).toEqual([]);
    expect(await failures('0:-1#999999')).toEqual([404]);
  });
});
