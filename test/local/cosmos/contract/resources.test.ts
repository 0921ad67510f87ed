import type { ContainerDefinition } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';

const { client, clientWith, create, database } = await openAccount();

describe('databases and containers', () => {
  it('are made once, read, listed and found by a query', async () => {
    const { container } = await database.containers.createIfNotExists({ id: 'c 1', partitionKey: '/p' });
    expect((await database.containers.createIfNotExists({ id: 'c 1', partitionKey: '/p' })).statusCode).toBe(200);
    await expect(database.containers.create({ id: 'c 1', partitionKey: '/p' })).rejects.toMatchObject({ code: 409 });
    await expect(client.databases.create({ id: database.id })).rejects.toMatchObject({ code: 409 });
    expect((await container.read()).resource).toMatchObject({ id: 'c 1', partitionKey: { paths: ['/p'] } });
    expect((await database.containers.readAll().fetchAll()).resources.map(({ id }) => id)).toContain('c 1');
    const query = { query: 'SELECT * FROM root r WHERE r.id = @id', parameters: [{ name: '@id', value: database.id }] };
    expect((await client.databases.query(query).fetchAll()).resources.map(({ id }) => id)).toEqual([database.id]);
    const byName = { query: 'SELECT * FROM root r WHERE r.id = "c 1"', parameters: [] };
    expect((await database.containers.query(byName).fetchAll()).resources).toHaveLength(1);
  });

  it('of a container, policies can be replaced and the key cannot', async () => {
    const container = await create({ id: 'replaced', partitionKey: '/p' });
    const { resource } = await container.read();
    const definition: ContainerDefinition = { id: 'replaced', partitionKey: resource!.partitionKey! };
    await container.replace({ ...definition, defaultTtl: 60 });
    expect((await container.read()).resource?.defaultTtl).toBe(60);
    const other = container.replace({ ...definition, partitionKey: { paths: ['/q'] } });
    await expect(other).rejects.toMatchObject({ code: 400 });
  });

  it('are gone after they are deleted, with all that was in them', async () => {
    const container = await create({ id: 'short lived', partitionKey: '/p' });
    await container.items.create({ id: 'x', p: 1 });
    await container.delete();
    await expect(container.read()).rejects.toMatchObject({ code: 404 });
    const again = await create({ id: 'short lived', partitionKey: '/p' });
    expect((await again.items.query('SELECT * FROM c').fetchAll()).resources).toEqual([]);
    await expect(database.container('never').read()).rejects.toMatchObject({ code: 404 });
    const unknown = database.container('never').items.create({ id: 'x' });
    await expect(unknown).rejects.toMatchObject({ code: 404 });
  });

  it.each([
    ['no key path', { id: 'bad', partitionKey: { paths: [] } }],
    ['a key path without a slash', { id: 'bad', partitionKey: { paths: ['p'] } }],
    ['a name with a slash', { id: 'a/b', partitionKey: { paths: ['/p'] } }],
    ['a time to live of nothing', { id: 'bad', partitionKey: { paths: ['/p'] }, defaultTtl: 0 }],
  ])('cannot have %s', async (_, definition) => {
    await expect(database.containers.create(definition)).rejects.toBeDefined();
    await expect(database.container('bad').read()).rejects.toMatchObject({ code: 404 });
  });
});

describe('throughput', () => {
  it('is what the container was made with, and can be changed', async () => {
    const container = await create({ id: 'manual', partitionKey: '/p', throughput: 400 });
    const { resource, offer } = await container.readOffer();
    expect(resource?.content?.offerThroughput).toBe(400);
    const content = { ...resource!.content!, offerThroughput: 500 };
    expect((await offer!.replace({ ...resource!, content })).resource?.content?.offerThroughput).toBe(500);
    expect((await offer!.read()).resource?.content?.offerThroughput).toBe(500);
  });

  it('by autoscale is its maximum', async () => {
    const container = await create({ id: 'autoscale', partitionKey: '/p', maxThroughput: twoPartitions });
    const { resource } = await container.readOffer();
    expect(resource?.content?.offerAutopilotSettings).toMatchObject({ maxThroughput: twoPartitions });
    expect(await container.getFeedRanges()).toHaveLength(2);
  });
});

describe('a wrong key', () => {
  it('is 401', async () => {
    const wrong = clientWith({ key: Buffer.from('the wrong key').toString('base64') });
    await expect(wrong.database(database.id).read()).rejects.toMatchObject({ code: 401 });
  });
});

describe('a continuation token that is none', () => {
  it('is refused', async () => {
    const container = await create({ id: 'tokens', partitionKey: '/p' });
    const options = { partitionKey: 1, continuationToken: 'made up' };
    await expect(container.items.query('SELECT * FROM c', options).fetchNext()).rejects.toMatchObject({ code: 400 });
  });
});
