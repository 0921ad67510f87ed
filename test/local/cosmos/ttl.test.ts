import { describe, expect, it } from 'vitest';
import { createItem } from '../../../local/cosmos/operations/items.ts';
import { keyOfDocument } from '../../../local/cosmos/partition/key.ts';
import { Store } from '../../../local/cosmos/store/store.ts';
import { startWithKey } from './fixture.ts';

let now = Date.parse('2031-05-06T07:08:09Z');
const { container } = await startWithKey({ clock: () => now });
const leases = container('leases');

describe('time to live', () => {
  it('hides an item from reads, queries and the change feed as soon as it has expired', async () => {
    await leases.items.create({ id: 'short', ttl: 30 });
    await leases.items.create({ id: 'forever' });
    now += 29_999;
    expect((await leases.item('short', 'short').read()).statusCode).toBe(200);
    now += 1;
    expect((await leases.item('short', 'short').read()).statusCode).toBe(404);
    expect((await leases.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['forever']);
    await expect(leases.item('short', 'short').replace({ id: 'short' })).rejects.toMatchObject({ code: 404 });
  });

  it('lets the next one create an item whose predecessor has expired', async () => {
    await leases.items.create({ id: 'lease', ttl: 10, holder: 'a' });
    await expect(leases.items.create({ id: 'lease', ttl: 10, holder: 'b' })).rejects.toMatchObject({ code: 409 });
    now += 10_000;
    expect((await leases.items.create({ id: 'lease', ttl: 10, holder: 'b' })).statusCode).toBe(201);
  });

  it('starts anew with each write', async () => {
    await leases.items.create({ id: 'renewed', ttl: 10 });
    now += 8_000;
    await leases.items.upsert({ id: 'renewed', ttl: 10 });
    now += 8_000;
    expect((await leases.item('renewed', 'renewed').read()).statusCode).toBe(200);
  });

  it('does nothing in a container that has it switched off', async () => {
    const waves = container('waves');
    await waves.items.create({ id: 'a', waveId: 'w', ttl: 1 });
    now += 10_000;
    expect((await waves.item('a', 'w').read()).statusCode).toBe(200);
  });

  it('follows when the container gets another default', async () => {
    const waves = container('waves');
    await waves.items.create({ id: 'default', waveId: 't' });
    await waves.items.create({ id: 'own', waveId: 't', ttl: 1000 });
    await waves.items.create({ id: 'never', waveId: 't', ttl: -1 });
    const { resource } = await waves.read();
    const { id, partitionKey } = resource!;
    await waves.replace({ id, partitionKey: partitionKey!, defaultTtl: 60 });
    now += 100_000;
    const left = await waves.items.query('SELECT VALUE c.id FROM c', { partitionKey: 't' }).fetchAll();
    expect(left.resources).toEqual(['own', 'never']);
  });

  it('sweeps expired rows out of the table', async () => {
    let time = 1_000_000;
    const store = new Store(undefined, () => time);
    const cache = await store.define((catalog) => {
      catalog.createDatabase('d');
      return catalog.createContainer('d', { id: 'c', partitionKey: { paths: ['/id'] }, defaultTtl: 5 });
    });
    const document = { id: 'x' };
    const key = keyOfDocument(cache.partitionKey, document);
    await store.write(cache, (transaction) => createItem(transaction, key, document));
    await store.sweep();
    expect(store.items.find(cache, key, 'x')).toBeDefined();
    time += 5_000;
    await store.sweep();
    expect(store.items.find(cache, key, 'x')).toBeUndefined();
    store.close();
  });
});
