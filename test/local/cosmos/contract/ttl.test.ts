import { describe, expect, it } from 'vitest';
import { openAccount } from './account.ts';

const { create, later } = await openAccount();
const leases = await create({ id: 'leases', partitionKey: '/id', defaultTtl: -1 });

describe('time to live', () => {
  it('hides an item from reads, queries and writes as soon as it has expired', async () => {
    await leases.items.create({ id: 'short', ttl: 5 });
    await leases.items.create({ id: 'forever' });
    await later(1000);
    expect((await leases.item('short', 'short').read()).statusCode).toBe(200);
    await later(5000);
    expect((await leases.item('short', 'short').read()).statusCode).toBe(404);
    expect((await leases.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['forever']);
    await expect(leases.item('short', 'short').replace({ id: 'short' })).rejects.toMatchObject({ code: 404 });
  });

  it('lets the next one create an item whose predecessor has expired', async () => {
    await leases.items.create({ id: 'lease', ttl: 5, holder: 'a' });
    await expect(leases.items.create({ id: 'lease', ttl: 5, holder: 'b' })).rejects.toMatchObject({ code: 409 });
    await later(6000);
    expect((await leases.items.create({ id: 'lease', ttl: 5, holder: 'b' })).statusCode).toBe(201);
  });

  it('starts anew with each write', async () => {
    await leases.items.create({ id: 'renewed', ttl: 6 });
    await later(4000);
    await leases.items.upsert({ id: 'renewed', ttl: 6 });
    await later(4000);
    expect((await leases.item('renewed', 'renewed').read()).statusCode).toBe(200);
  });

  it('does nothing in a container that has it switched off', async () => {
    const waves = await create({ id: 'waves', partitionKey: '/waveId' });
    await waves.items.create({ id: 'a', waveId: 'w', ttl: 1 });
    await later(3000);
    expect((await waves.item('a', 'w').read()).statusCode).toBe(200);
  });

  it('follows when the container gets another default', async () => {
    const plain = await create({ id: 'plain', partitionKey: '/p' });
    await plain.items.create({ id: 'default', p: 't' });
    await plain.items.create({ id: 'own', p: 't', ttl: 1000 });
    await plain.items.create({ id: 'never', p: 't', ttl: -1 });
    const { resource } = await plain.read();
    await plain.replace({ id: resource!.id, partitionKey: resource!.partitionKey!, defaultTtl: 5 });
    await later(7000);
    const left = await plain.items.query('SELECT VALUE c.id FROM c', { partitionKey: 't' }).fetchAll();
    expect(left.resources).toEqual(['own', 'never']);
  });

  it.each([0, -2, 1.5, 'soon'])('cannot be %s', async (ttl) => {
    await expect(leases.items.create<object>({ id: 'bad', ttl })).rejects.toMatchObject({ code: 400 });
  });
});
