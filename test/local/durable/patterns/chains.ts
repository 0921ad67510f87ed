// Function chaining, fan-out/fan-in, the status of an asynchronous HTTP API, custom status.
import { expect, test } from 'vitest';
import { handleManagement } from '../../../../local/durable/httpApi.ts';
import { minutes, world } from './fixtures/office/world.ts';
import { engine, happened, inEveryMode, pass, run } from './rehearsal.ts';

const get = async (path: string) => {
  const [route = '', query] = path.split('?');
  const request = { method: 'GET', path: route, query: new URLSearchParams(query), continuationToken: undefined };
  return await handleManagement(engine.durable, { ...request, body: '' }, () => ({}));
};

inEveryMode('chains', () => {
  test('a chain hands each result to the next function', async () => {
    expect((await run('chain', '  good morning ')).output).toBe('[GOOD MORNING]');
  });

  test('a fan-out runs all, a fan-in adds them up', async () => {
    expect((await run('fanOut', [1, 2, 3, 4, 5])).output).toBe(55);
    expect(happened('fanOut', 'TaskCompleted')).toHaveLength(5);
  });

  test('a client that polls sees 202 and how far it is, and at last 200 and the result', async () => {
    const seen: unknown[] = [];
    await engine.start('tour', { instanceId: 'polled', input: { by: 'train' } });
    for (let poll = 0; poll < 5; poll++) {
      await pass(7 * minutes);
      const { status, body } = await get('instances/polled');
      seen.push([status, (body as { customStatus: unknown }).customStatus]);
    }
    expect(seen).toEqual([
      [202, { to: 'Tokyo', seen: 0 }],
      [202, { to: 'Seattle', seen: 1 }],
      [202, { to: 'London', seen: 2 }],
      [202, { to: 'London', seen: 2 }],
      [200, 'home'],
    ]);
    expect((await get('instances/polled')).body).toMatchObject({
      ...{ name: 'tour', instanceId: 'polled', runtimeStatus: 'Completed', input: { by: 'train' } },
      ...{ output: ['[Tokyo]', '[Seattle]', '[London]'], createdTime: '2030-01-01T00:00:00.000Z' },
    });
    expect((await get('instances/nobody')).status).toBe(404);
  });

  test('a failed instance is a 200 that says so, and a 500 for clients that ask for one', async () => {
    world.isBroken = () => true;
    await run('worker', 'it');
    expect(await get('instances/worker')).toMatchObject({ status: 200, body: { runtimeStatus: 'Failed' } });
    expect((await get('instances/worker?returnInternalServerErrorOnFailure=true')).status).toBe(500);
  });
});
