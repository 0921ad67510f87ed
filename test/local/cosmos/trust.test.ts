import { CosmosClient } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { startWithKey, startWithTokens } from './fixture.ts';

describe('a server with Entra tokens over HTTPS', async () => {
  const { server, clientFor } = await startWithTokens({
    'token-of-planner': { oid: 'planner-oid', aud: 'https://cosmos.azure.com' },
    'token-for-storage': { oid: 'planner-oid', aud: 'https://storage.azure.com' },
  });
  const client = clientFor('token-of-planner');

  it('lets the holder of a good token read, write and query data', async () => {
    const waves = client.database('test').container('waves');
    await waves.items.create({ id: 'a', waveId: 'w1' });
    expect((await waves.item('a', 'w1').read()).resource.id).toBe('a');
    expect((await waves.items.query('SELECT VALUE COUNT(1) FROM c').fetchAll()).resources).toEqual([1]);
  });

  it('answers 401 to a token that does not verify', async () => {
    const stranger = clientFor('forged');
    await expect(stranger.database('test').container('waves').item('a', 'w1').read()).rejects.toMatchObject({
      code: 401,
    });
  });

  it('answers 401 to a token that is for somebody else, and says for whom', async () => {
    const reading = clientFor('token-for-storage').database('test').container('waves').item('a', 'w1').read();
    await expect(reading).rejects.toMatchObject({ code: 401, message: expect.stringContaining('storage.azure.com') });
  });

  it('lets no token make or delete databases and containers', async () => {
    const forbidden = { code: 403, substatus: 5300 };
    await expect(client.databases.create({ id: 'new' })).rejects.toMatchObject(forbidden);
    const database = client.database('test');
    await expect(database.containers.create({ id: 'c', partitionKey: '/p' })).rejects.toMatchObject(forbidden);
    await expect(database.container('waves').delete()).rejects.toMatchObject(forbidden);
    expect((await database.container('waves').read()).statusCode).toBe(200);
  });

  it('accepts no key when it has none', async () => {
    const keyed = new CosmosClient({ endpoint: server.endpoint, key: Buffer.from('any').toString('base64') });
    await expect(keyed.database('test').read()).rejects.toMatchObject({ code: 401 });
  });
});

describe('a server with a master key', async () => {
  const { client } = await startWithKey();

  it('says what it does not support instead of pretending', async () => {
    const scripts = client.database('test').container('waves').scripts;
    const refused = { code: 400, message: expect.stringContaining('not supported') };
    await expect(scripts.storedProcedures.create({ id: 's', body: 'function () {}' })).rejects.toMatchObject(refused);
  });
});

describe('stopping', () => {
  it('does not wait for clients that keep their connections', async () => {
    const { server, client } = await startWithKey();
    await client.database('test').container('waves').items.upsert({ id: 'a', waveId: 'w' });
    const started = performance.now();
    await server.stop();
    expect(performance.now() - started).toBeLessThan(900);
  });
});
