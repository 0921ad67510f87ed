import { expect, it } from 'vitest';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const at = '2026-12-01T00:00:00.000Z';

/** Syncs of `db` as its appliance reports them: each carries so many bytes in so many seconds. */
function synced(count: number, changedBytes: number, seconds: number): WorkloadEvent[] {
  return Array.from({ length: count }, (_, n) => ({ n, startedAt: plusMs(at, n * 900_000), syncId: `s${n}` })).flatMap(
    ({ n, startedAt, syncId }) => {
      const kind = n === 0 ? ('initial' as const) : ('delta' as const);
      const common = { time: plusMs(startedAt, seconds * 1000), source: 'agent-db-01' };
      const disk = {
        diskId: 'os',
        sizeBytes: 1_048_576,
        readBytes: 1_048_576,
        changedBytes,
        root: '0'.repeat(64),
        snapshot: 's',
      };
      const queued: WorkloadEvent = {
        ...common,
        source: 'platform',
        id: `q${n}`,
        type: 'landfall.sync.queued',
        data: { syncId, kind, syncOperationId: `o${n}`, applianceId: 'agent-db-01' },
      };
      const completed: WorkloadEvent = {
        ...common,
        id: `c${n}`,
        type: 'landfall.sync.completed',
        data: {
          syncId,
          kind,
          startedAt,
          root: '0'.repeat(64),
          disks: [disk],
          verified: { mode: 'written', bytes: 0 },
          consistency: 'crash',
          resumed: false,
        },
      };
      return [queued, completed];
    },
  );
}

it('a wave says for each group whether it fits its window, until when it must start, and why', async () => {
  const { ask, reach } = api();
  await withWave(reach);
  await reach.store.workloads.append('w1', 'db', synced(5, 90_000_000, 9));
  const { status, body } = await ask('GET', '/api/waves/w1/fit', { as: 'alan' });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    waveId: 'w1',
    zone: 'Europe/Amsterdam',
    windows: [{ opens: '2026-12-05T21:00:00.000Z' }],
  });
  const { groups } = body as { groups: Record<string, unknown>[] };
  expect(groups.map(({ groupId, verdict }) => `${groupId} ${verdict}`)).toEqual(['data fits', 'shop fits']);
  expect(groups[0]).toMatchObject({
    latestSafeStart: expect.stringMatching(/^2026-12-0[56]T/),
    reason: expect.stringContaining('of cutover at a high estimate'),
    workloads: [
      {
        workloadId: 'db',
        converges: true,
        deltas: 4,
        throughputBytesPerSecond: 10_000_000,
        churnBytesPerSecond: { expected: 100_000 },
      },
    ],
  });
  expect(groups[1]).toMatchObject({ reason: expect.stringContaining('no delta was measured yet of app, web') });
  const view = (await ask('GET', '/api/waves/w1', { as: 'alan' })).body as { groups: { fit: unknown }[] };
  const { groupId: _groupId, path: _path, workloads: _workloads, ...summary } = groups[0]!;
  expect(view.groups[0]?.fit).toEqual(summary);
});

it('a group whose services have stopped is predicted no more', async () => {
  const { ask, reach } = api();
  await withWave(reach);
  await reach.store.waves.change('w1', (wave) => ({
    ...wave,
    groups: { ...wave.groups, data: { status: 'cuttingOver', updatedAt: at } },
  }));
  const { body } = await ask('GET', '/api/waves/w1/fit', { as: 'alan' });
  expect((body as { groups: { groupId: string }[] }).groups.map(({ groupId }) => groupId)).toEqual(['shop']);
});
