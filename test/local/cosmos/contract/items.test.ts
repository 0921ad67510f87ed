import { describe, expect, it } from 'vitest';
import { changeNumber, openAccount } from './account.ts';

const { create } = await openAccount();
const waves = await create({ id: 'waves', partitionKey: { paths: ['/waveId'], version: 2 } });

describe('point operations through the client', () => {
  it('a created item is read back with its system properties', async () => {
    const created = await waves.items.create({ id: 'a', waveId: 'w1', name: 'first – ünïcode', n: 0.1 });
    expect(created.statusCode).toBe(201);
    const read = await waves.item('a', 'w1').read();
    expect(read.resource).toMatchObject({ id: 'a', waveId: 'w1', name: 'first – ünïcode', n: 0.1 });
    expect(read.etag).toBe(created.etag);
    expect(read.resource._etag).toBe(created.etag);
    expect(read.resource._ts).toBeTypeOf('number');
    expect(changeNumber(read.headers)).toBeGreaterThan(0);
  });

  it('creating the same id twice in a partition is a conflict, in another partition it is not', async () => {
    await waves.items.create({ id: 'twice', waveId: 'w1' });
    await expect(waves.items.create({ id: 'twice', waveId: 'w1' })).rejects.toMatchObject({ code: 409 });
    expect((await waves.items.create({ id: 'twice', waveId: 'w2' })).statusCode).toBe(201);
  });

  it('an upsert creates first and replaces then', async () => {
    expect((await waves.items.upsert({ id: 'u', waveId: 'w1', v: 1 })).statusCode).toBe(201);
    expect((await waves.items.upsert({ id: 'u', waveId: 'w1', v: 2 })).statusCode).toBe(200);
    expect((await waves.item('u', 'w1').read()).resource.v).toBe(2);
  });

  it('of two replacements with the same etag the second fails with 412', async () => {
    const { etag } = await waves.items.create({ id: 'race', waveId: 'w1', v: 0 });
    const accessCondition = { type: 'IfMatch', condition: etag };
    const replace = (v: number) =>
      waves.item('race', 'w1').replace({ id: 'race', waveId: 'w1', v }, { accessCondition });
    const outcomes = await Promise.allSettled([replace(1), replace(2)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({ code: 412 });
    await expect(waves.items.upsert({ id: 'race', waveId: 'w1' }, { accessCondition })).rejects.toMatchObject({
      code: 412,
    });
    await expect(waves.item('race', 'w1').delete({ accessCondition })).rejects.toMatchObject({ code: 412 });
  });

  it('a read whose etag still holds is 304', async () => {
    const { etag } = await waves.items.create({ id: 'same', waveId: 'w1' });
    const read = await waves.item('same', 'w1').read({ accessCondition: { type: 'IfNoneMatch', condition: etag } });
    expect(read.statusCode).toBe(304);
  });

  it('what does not exist reads as 404 without throwing, and cannot be replaced or deleted', async () => {
    const missing = waves.item('missing', 'w1');
    expect(await missing.read()).toMatchObject({ statusCode: 404, resource: undefined });
    await expect(missing.delete()).rejects.toMatchObject({ code: 404 });
    await expect(missing.replace({ id: 'missing', waveId: 'w1' })).rejects.toMatchObject({ code: 404 });
  });

  it('a deleted item is gone', async () => {
    await waves.items.create({ id: 'gone', waveId: 'w1' });
    expect((await waves.item('gone', 'w1').delete()).statusCode).toBe(204);
    expect((await waves.item('gone', 'w1').read()).statusCode).toBe(404);
  });

  it('a body whose partition key differs from the header is refused with substatus 1001', async () => {
    await waves.items.create({ id: 'moved', waveId: 'w1' });
    await expect(waves.item('moved', 'w1').replace({ id: 'moved', waveId: 'w2' })).rejects.toMatchObject({
      code: 400,
      substatus: 1001,
    });
  });

  it('an item without its partition key property lives under the undefined key', async () => {
    await waves.items.create({ id: 'keyless' });
    expect((await waves.item('keyless', undefined).read()).resource.id).toBe('keyless');
    expect((await waves.item('keyless', null).read()).statusCode).toBe(404);
  });

  it('an item beyond 2 MB is refused with 413', async () => {
    const big = { id: 'big', waveId: 'w1', text: 'x'.repeat(2 * 1024 * 1024) };
    await expect(waves.items.create(big)).rejects.toMatchObject({ code: 413 });
  });

  it('an id with a slash is refused by the server as well as by the client', async () => {
    await expect(waves.items.create({ id: 'a/b', waveId: 'w1' })).rejects.toBeDefined();
  });

  it('ids and keys that need escaping keep their identity', async () => {
    const id = 'näme %20 & [x]';
    const waveId = 'schlüssel "1" 😀';
    await waves.items.create({ id, waveId });
    expect((await waves.item(id, waveId).read()).resource).toMatchObject({ id, waveId });
  });
});

describe('patches through the client', () => {
  it('applies its operations in order and answers the new item', async () => {
    await waves.items.create({ id: 'p', waveId: 'w1', count: 1, list: [1, 3], deep: { a: 1 }, old: true });
    const { resource } = await waves.item('p', 'w1').patch([
      { op: 'incr', path: '/count', value: 2 },
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'set', path: '/deep/b', value: { c: null } },
      { op: 'replace', path: '/deep/a', value: 'x' },
      { op: 'remove', path: '/old' },
    ]);
    expect(resource).toMatchObject({ count: 3, list: [1, 2, 3], deep: { a: 'x', b: { c: null } } });
    expect(resource).not.toHaveProperty('old');
  });

  it('with a condition that does not hold is 412 and changes nothing', async () => {
    await waves.items.create({ id: 'pc', waveId: 'w1', status: 'open', v: 1 });
    const patch = (condition: string) =>
      waves.item('pc', 'w1').patch({ condition, operations: [{ op: 'incr', path: '/v', value: 1 }] });
    await expect(patch("FROM c WHERE c.status = 'closed'")).rejects.toMatchObject({ code: 412 });
    expect((await waves.item('pc', 'w1').read()).resource.v).toBe(1);
    expect((await patch("FROM c WHERE c.status = 'open'")).resource.v).toBe(2);
  });

  it('may not touch the id or the partition key', async () => {
    await waves.items.create({ id: 'pk', waveId: 'w1' });
    const patch = (path: string) => waves.item('pk', 'w1').patch([{ op: 'set', path, value: 'other' }]);
    await expect(patch('/waveId')).rejects.toMatchObject({ code: 400 });
    await expect(patch('/id')).rejects.toMatchObject({ code: 400 });
  });

  it('on a path that does not exist is 400', async () => {
    await waves.items.create({ id: 'pm', waveId: 'w1' });
    const patched = waves.item('pm', 'w1').patch([{ op: 'replace', path: '/nothing', value: 1 }]);
    await expect(patched).rejects.toMatchObject({ code: 400 });
  });

  it('of more than ten operations is 400', async () => {
    await waves.items.create({ id: 'many', waveId: 'w1', v: 0 });
    const operations = Array.from({ length: 11 }, () => ({ op: 'incr' as const, path: '/v', value: 1 }));
    await expect(waves.item('many', 'w1').patch(operations)).rejects.toMatchObject({ code: 400 });
    expect((await waves.item('many', 'w1').patch(operations.slice(1))).resource.v).toBe(10);
  });

  it('under an etag that no longer holds is 412', async () => {
    const { etag } = await waves.items.create({ id: 'pe', waveId: 'w1', v: 0 });
    const accessCondition = { type: 'IfMatch', condition: etag };
    const patch = () => waves.item('pe', 'w1').patch([{ op: 'incr', path: '/v', value: 1 }], { accessCondition });
    expect((await patch()).resource.v).toBe(1);
    await expect(patch()).rejects.toMatchObject({ code: 412 });
  });
});
