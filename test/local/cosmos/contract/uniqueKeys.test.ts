import type { OperationInput } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { openAccount } from './account.ts';

const { create, later } = await openAccount();
const people = await create({
  id: 'people',
  partitionKey: '/team',
  defaultTtl: -1,
  uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/mail'] }, { paths: ['/name/first', '/name/last'] }] },
});
const person = (id: string, mail: string | undefined, last = id, team = 'a') => ({
  ...{ id, team, name: { first: 'Ada', last } },
  ...(mail !== undefined && { mail }),
});
const taken = { code: 409 };

describe('a unique key', () => {
  it('lets no second item of its partition have the same value, and any of another partition', async () => {
    await people.items.create(person('one', 'one@x'));
    await expect(people.items.create(person('other', 'one@x'))).rejects.toMatchObject(taken);
    await expect(people.items.upsert(person('other', 'one@x'))).rejects.toMatchObject(taken);
    expect((await people.items.create(person('one', 'one@x', 'one', 'b'))).statusCode).toBe(201);
  });

  it('of several paths is taken only by all of them together', async () => {
    await people.items.create(person('two', 'two@x', 'Byron'));
    await expect(people.items.create(person('three', 'three@x', 'Byron'))).rejects.toMatchObject(taken);
    expect((await people.items.create(person('three', 'three@x', 'Lovelace'))).statusCode).toBe(201);
  });

  it('counts a missing value as null, which only one item may have', async () => {
    await people.items.create(person('none', undefined));
    await expect(people.items.create(person('none too', undefined))).rejects.toMatchObject(taken);
  });

  it('holds for replace and patch, and lets an item keep its own value', async () => {
    await people.items.create(person('r', 'r@x'));
    await people.items.create(person('s', 's@x'));
    await expect(people.item('s', 'a').replace(person('s', 'r@x'))).rejects.toMatchObject(taken);
    const steal = people.item('s', 'a').patch([{ op: 'set', path: '/mail', value: 'r@x' }]);
    await expect(steal).rejects.toMatchObject(taken);
    expect((await people.item('s', 'a').replace({ ...person('s', 's@x'), more: 1 })).statusCode).toBe(200);
    expect((await people.item('s', 'a').read()).resource).toMatchObject({ mail: 's@x', more: 1 });
  });

  it('is free again when its item is changed, deleted or expired', async () => {
    await people.items.create(person('free', 'free@x'));
    await people.item('free', 'a').replace(person('free', 'other@x'));
    expect((await people.items.create(person('free2', 'free@x'))).statusCode).toBe(201);
    await people.item('free2', 'a').delete();
    expect((await people.items.create({ ...person('free3', 'free@x'), ttl: 2 })).statusCode).toBe(201);
    await later(4000);
    expect((await people.items.create(person('free4', 'free@x'))).statusCode).toBe(201);
  });

  it('fails a batch whole', async () => {
    await people.items.create(person('b', 'b@x'));
    const add = (document: ReturnType<typeof person>): OperationInput => ({
      operationType: 'Create',
      resourceBody: document,
    });
    const { code, result } = await people.items.batch([add(person('c', 'c@x')), add(person('d', 'b@x'))], 'a');
    expect([code, result?.map(({ statusCode }) => statusCode)]).toEqual([207, [424, 409]]);
    expect((await people.items.create(person('c', 'c@x'))).statusCode).toBe(201);
  });

  it('cannot be changed after the container was made', async () => {
    const definition = { id: 'people', partitionKey: { paths: ['/team'] } };
    const changed = people.replace({
      ...definition,
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/other'] }] },
    } as never);
    await expect(changed).rejects.toMatchObject({ code: 400 });
  });
});
