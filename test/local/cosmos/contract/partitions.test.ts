import { ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import { beforeAll, describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';

const { create } = await openAccount();
const moreThroughput = 21_000;
const numbers = Array.from({ length: 40 }, (_, n) => n);

const rangesOf = async (container: Container) => {
  const { resources } = await container.readPartitionKeyRanges().fetchAll();
  return resources.sort((a, b) => (a.minInclusive < b.minInclusive ? -1 : 1));
};

async function raise(container: Container, throughput: number): Promise<void> {
  const { resource, offer } = await container.readOffer();
  await offer!.replace({ ...resource!, content: { ...resource!.content!, offerThroughput: throughput } });
}

describe.each([1, 2] as const)(
  'a container with a key of version %i and more throughput than a partition takes',
  (version) => {
    let container: Container;
    beforeAll(async () => {
      container = await create({
        id: `v${version}`,
        partitionKey: { paths: ['/p'], version },
        throughput: twoPartitions,
      });
      for (const n of numbers) await container.items.create({ id: `i${n}`, p: `key-${n}`, n, even: n % 2 === 0 });
    });

    it('has two partitions that cover all keys, and both hold items', async () => {
      const ranges = await rangesOf(container);
      expect(ranges.map(({ minInclusive }) => minInclusive)[0]).toBe('');
      expect(ranges.map(({ maxExclusive }) => maxExclusive)[1]).toBe('FF');
      expect(ranges[0]?.maxExclusive).toBe(ranges[1]?.minInclusive);
      for (const range of await container.getFeedRanges()) {
        const changeFeedStartFrom = ChangeFeedStartFrom.Beginning(range);
        const page = await container.items.getChangeFeedIterator({ changeFeedStartFrom }).readNext();
        expect(page.count).toBeGreaterThan(0);
      }
    });

    it('answers a query that fixes the key, whichever way it does', async () => {
      const byFilter = await container.items.query('SELECT VALUE c.n FROM c WHERE c.p = "key-7"').fetchAll();
      const ordered = await container.items
        .query('SELECT VALUE c.n FROM c WHERE c.p = "key-7" ORDER BY c.n')
        .fetchAll();
      const byOption = await container.items.query('SELECT VALUE c.n FROM c', { partitionKey: 'key-7' }).fetchAll();
      expect([byFilter.resources, ordered.resources, byOption.resources]).toEqual([[7], [7], [7]]);
    });

    it.each([1, 7, 100])('orders over both, in pages of %i', async (maxItemCount) => {
      const query = 'SELECT VALUE c.n FROM c ORDER BY c.n';
      expect((await container.items.query(query, { maxItemCount }).fetchAll()).resources).toEqual(numbers);
    });

    it('tells what a query has cost when it is asked to', async () => {
      const { requestCharge, queryMetrics } = await container.items
        .query('SELECT * FROM c WHERE c.even', { partitionKey: 'key-4', populateQueryMetrics: true })
        .fetchAll();
      expect(requestCharge).toBeGreaterThan(2);
      // Declared as text; the client gives an object by partition.
      expect(Object.values(queryMetrics)).toEqual([expect.objectContaining({ retrievedDocumentCount: 1 })]);
    });

    it('finds items by a list of ids, wherever they lie', async () => {
      const ids = numbers.slice(0, 9).map((n) => `i${n}`);
      const query = {
        query: 'SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(@ids, c.id)',
        parameters: [{ name: '@ids', value: ids }],
      };
      expect((await container.items.query<string>(query).fetchAll()).resources.sort()).toEqual(ids);
    });

    it('goes on with queries and feeds that were under way when a partition splits', async () => {
      const query = container.items.query<number>('SELECT VALUE c.n FROM c', { maxItemCount: 5 });
      const changeFeedStartFrom = ChangeFeedStartFrom.Beginning();
      const feed = container.items.getChangeFeedIterator({ maxItemCount: 5, changeFeedStartFrom });
      const seen = [...(await query.fetchNext()).resources];
      const told = [...(await feed.readNext()).result.map(({ id }) => id)];
      const before = (await rangesOf(container)).map(({ id }) => id);
      await raise(container, moreThroughput);
      await expect.poll(async () => (await rangesOf(container)).length, { timeout: 100_000 }).toBeGreaterThan(2);
      const after = await rangesOf(container);
      expect(after.some(({ id }) => !before.includes(id))).toBe(true);
      expect(after.at(-1)?.maxExclusive).toBe('FF');

      while (query.hasMoreResults()) seen.push(...((await query.fetchNext()).resources ?? []));
      expect([...new Set(seen)].sort((a, b) => a - b)).toEqual(numbers);
      for await (const page of feed.getAsyncIterator()) {
        if (page.statusCode === 304) break;
        told.push(...page.result.map(({ id }: { id: string }) => id));
      }
      expect(told).toHaveLength(numbers.length);
      expect(new Set(told).size).toBe(numbers.length);
      // The feed has made the client ask for the partitions anew; @azure/cosmos 4.10.1 does not when it orders.
      const ordered = await container.items
        .query('SELECT VALUE c.n FROM c ORDER BY c.n', { maxItemCount: 5 })
        .fetchAll();
      expect(ordered.resources).toEqual(numbers);
    });
  },
);
