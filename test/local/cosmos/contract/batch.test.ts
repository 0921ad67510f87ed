import { type OperationInput, PatchOperationType } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';
import { hierarchical } from './containers.ts';

const { create: createContainer } = await openAccount();
const workloads = await createContainer({ id: 'workloads', partitionKey: hierarchical });
const key = (workloadId: string) => ['w1', workloadId];
const item = (workloadId: string, id: string, more = {}) => ({ id, waveId: 'w1', workloadId, ...more });
const create = (workloadId: string, id: string, more = {}): OperationInput => ({
  operationType: 'Create',
  resourceBody: item(workloadId, id, more),
});
const idsOf = async (workloadId: string) => {
  const query = workloads.items.query<{ id: string }>('SELECT * FROM c', { partitionKey: key(workloadId) });
  return (await query.fetchAll()).resources.map(({ id }) => id);
};

describe('a transactional batch', () => {
  it('replaces the state under its etag and adds 99 events in one step', async () => {
    const { etag } = await workloads.items.create(item('a', 'state', { kind: 'state', version: 0 }));
    const events = Array.from({ length: 99 }, (_, at) =>
      create('a', `event-${at}`, { kind: 'event', version: at + 1 }),
    );
    const replace: OperationInput = {
      operationType: 'Replace',
      id: 'state',
      ifMatch: etag,
      resourceBody: item('a', 'state', { kind: 'state', version: 99 }),
    };
    const { code, result } = await workloads.items.batch([replace, ...events], key('a'));
    expect(code).toBe(200);
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([200, ...events.map(() => 201)]);
    expect(new Set(result?.map(({ eTag }) => eTag)).size).toBe(100);
    expect(await idsOf('a')).toHaveLength(100);
    const stale = await workloads.items.batch([replace, create('a', 'late')], key('a'));
    expect(stale.code).toBe(207);
    expect(stale.result?.map(({ statusCode }) => statusCode)).toEqual([412, 424]);
    expect(await idsOf('a')).toHaveLength(100);
  });

  it('keeps nothing when its last operation fails', async () => {
    await workloads.items.create(item('b', 'taken'));
    const { code, result } = await workloads.items.batch([create('b', 'new'), create('b', 'taken')], key('b'));
    expect(code).toBe(207);
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([424, 409]);
    expect(await idsOf('b')).toEqual(['taken']);
  });

  it('sees its own writes, in order, with every kind of operation', async () => {
    const operations: OperationInput[] = [
      create('c', 'one', { n: 1 }),
      { operationType: 'Upsert', resourceBody: item('c', 'two', { n: 2 }) },
      {
        operationType: 'Patch',
        id: 'one',
        resourceBody: { operations: [{ op: PatchOperationType.incr, path: '/n', value: 5 }] },
      },
      { operationType: 'Read', id: 'one' },
      { operationType: 'Delete', id: 'two' },
    ];
    const { code, result } = await workloads.items.batch(operations, key('c'));
    expect(code).toBe(200);
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([201, 201, 200, 200, 204]);
    expect(result?.[3]?.resourceBody).toMatchObject({ id: 'one', n: 6 });
    expect(await idsOf('c')).toEqual(['one']);
  });

  it('leaves the bodies out when the client wants none', async () => {
    const options = { contentResponseOnWriteEnabled: false };
    const { result } = await workloads.items.batch([create('d', 'x')], key('d'), options);
    expect(result?.[0]).toMatchObject({ statusCode: 201, eTag: expect.any(String) });
    expect(result?.[0]?.resourceBody).toBeUndefined();
  });

  it('refuses an item of another partition, and keeps nothing', async () => {
    const { code, result } = await workloads.items.batch([create('e', 'x'), create('f', 'y')], key('e'));
    expect(code).toBe(207);
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([424, 400]);
    expect(await idsOf('e')).toEqual([]);
  });

  it('above 2 MB is refused with 413', async () => {
    const half = 'x'.repeat(1.1 * 1024 * 1024);
    const batch = workloads.items.batch([create('g', '1', { half }), create('g', '2', { half })], key('g'));
    await expect(batch).rejects.toMatchObject({ cause: { code: 413 } });
    expect(await idsOf('g')).toEqual([]);
  });
});

describe('a bulk request', () => {
  it('runs each operation for itself, over several partitions', async () => {
    const waves = await createContainer({
      id: 'waves',
      partitionKey: { paths: ['/waveId'], version: 2 },
      throughput: twoPartitions,
    });
    const operations: OperationInput[] = ['b1', 'b2', 'b3', 'b4', 'b5', 'b1'].map((waveId) => ({
      operationType: 'Create',
      partitionKey: waveId,
      resourceBody: { id: 'same', waveId },
    }));
    const results = await waves.items.executeBulkOperations(operations);
    expect(results.map(({ response, error }) => response?.statusCode ?? error?.code)).toEqual([
      201, 201, 201, 201, 201, 409,
    ]);
  });
});
