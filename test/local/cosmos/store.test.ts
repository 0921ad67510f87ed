import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { createItem, deleteItem, readItem } from '../../../local/cosmos/operations/items.ts';
import { keyOfDocument } from '../../../local/cosmos/partition/key.ts';
import { Store } from '../../../local/cosmos/store/store.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'cosmos-store-'));
const store = new Store(dataDir, Date.now);
const container = await store.define((catalog) => {
  catalog.createDatabase('d');
  return catalog.createContainer('d', { id: 'c', partitionKey: { paths: ['/id'], version: 2 } });
});
// What another process would find on disk.
const outside = new DatabaseSync(join(dataDir, 'cosmos.sqlite'), { readOnly: true });
const onDisk = () => outside.prepare('SELECT count(*) AS n FROM items').get()?.n;
afterAll(() => {
  outside.close();
  store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const document = { id: 'x' };
const key = keyOfDocument(container.partitionKey, document);
const create = () => store.write(container, (transaction) => createItem(transaction, key, document));
const remove = () => store.write(container, (transaction) => deleteItem(transaction, key, 'x', {}));
const read = () => store.read(() => readItem(store, container, key, 'x', 0, {}));

describe('the store', () => {
  it('answers a write, and a read that saw it, only when it is on disk', async () => {
    const writing = create().then(onDisk);
    const reading = read().then(({ status }) => [status, onDisk()]);
    expect(onDisk()).toBe(0);
    expect(await Promise.all([writing, reading])).toEqual([1, [200, 1]]);
  });

  it('says "not found" and "conflict" only when what they rest on is on disk', async () => {
    const deleting = remove();
    const missing = read().catch(({ status }) => [status, onDisk()]);
    expect(onDisk()).toBe(1);
    expect(await missing).toEqual([404, 0]);
    await deleting;

    const creating = create();
    const conflicting = create().catch(({ status }) => [status, onDisk()]);
    expect(onDisk()).toBe(0);
    expect(await conflicting).toEqual([409, 1]);
    await creating;
  });

  it('tells clients no change number that is not on disk', async () => {
    await remove().catch(() => undefined);
    const before = container.durableLsn;
    const writing = create();
    expect([container.lsn, container.durableLsn]).toEqual([before + 1, before]);
    await writing;
    expect(container.durableLsn).toBe(before + 1);
    await remove();
    await create();
  });

  it('gives the number of a refused write to the next one', async () => {
    const before = container.lsn;
    await expect(create()).rejects.toMatchObject({ status: 409 });
    expect(container.lsn).toBe(before);
    await remove();
    expect(container.lsn).toBe(before + 1);
  });

  it('sweeps expired rows out of the table', async () => {
    let time = 1_000_000;
    const timed = new Store(undefined, () => time);
    const cache = await timed.define((catalog) => {
      catalog.createDatabase('d');
      return catalog.createContainer('d', { id: 'c', partitionKey: { paths: ['/id'] }, defaultTtl: 5 });
    });
    const cacheKey = keyOfDocument(cache.partitionKey, document);
    await timed.write(cache, (transaction) => createItem(transaction, cacheKey, document));
    await timed.sweep();
    expect(timed.items.find(cache, cacheKey, 'x')).toBeDefined();
    time += 5_000;
    await timed.sweep();
    expect(timed.items.find(cache, cacheKey, 'x')).toBeUndefined();
    timed.close();
  });
});
