import { ChangeFeedMode, ChangeFeedStartFrom } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { readVersions } from '../../../local/cosmos/operations/feed.ts';
import { upsertItem } from '../../../local/cosmos/operations/items.ts';
import { keyOfDocument } from '../../../local/cosmos/partition/key.ts';
import { Store } from '../../../local/cosmos/store/store.ts';
import { startWithKey } from './fixture.ts';

const { client } = await startWithKey();
const { containers } = client.database('test');
const changeFeedMode = ChangeFeedMode.AllVersionsAndDeletes;
const startNow = { changeFeedMode, changeFeedStartFrom: ChangeFeedStartFrom.Now() };

describe('the versions of a container', () => {
  it('are kept where its change feed policy says so, and refused with the way out elsewhere', async () => {
    const { container } = await containers.create({ id: 'plain', partitionKey: '/id' });
    await container.items.create({ id: 'a' });
    const { continuationToken } = await container.items.getChangeFeedIterator(startNow).readNext();
    const changeFeedStartFrom = ChangeFeedStartFrom.Continuation(continuationToken);
    const reading = container.items.getChangeFeedIterator({ changeFeedMode, changeFeedStartFrom }).readNext();
    await expect(reading).rejects.toMatchObject({ code: 400, message: expect.stringContaining('changeFeedPolicy') });
  });

  it('go after the time that it keeps them, which a reader that comes too late is told', async () => {
    let now = 1_800_000_000_000;
    const store = new Store(undefined, () => now);
    const kept = await store.define((catalog) => {
      catalog.createDatabase('d');
      const definition = { id: 'c', partitionKey: { paths: ['/id'] }, changeFeedPolicy: { retentionDuration: 5 } };
      return catalog.createContainer('d', definition);
    });
    const document = { id: 'x' };
    const key = keyOfDocument(kept.partitionKey, document);
    const write = () => store.write(kept, (transaction) => upsertItem(transaction, key, document, {}));
    const read = (after: number) => readVersions(store, kept, { after, maxItems: 10 });
    await write();
    now += 4 * 60_000;
    await write();
    await store.sweep();
    expect(read(0).items).toHaveLength(2);
    now += 2 * 60_000;
    await store.sweep();
    expect(() => read(0)).toThrow('older than the 5 minutes');
    expect(read(1).items).toHaveLength(1);
    store.close();
  });
});
