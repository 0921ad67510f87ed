// Syncs from due to dispatched, and what the watchdog does about silence.
import { describe, expect, it } from 'vitest';
import { deltaSyncs } from '../../../functions/timers/deltaSyncs.ts';
import { watchdog } from '../../../functions/timers/watchdog.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { milestoneOf } from '../../../shared/lifecycle/milestones.ts';
import type { WorkloadPlan } from '../../../shared/model/plan.ts';
import type { Settings } from '../../../shared/model/settings.ts';
import { dispatchesAtMost } from '../../../shared/policy/stall.ts';
import { dispatchDue, enqueueSync, queueSync, syncIdOf, withdrawSync } from '../../../shared/sync/dispatch.ts';
import { gateOf } from '../../fakes/gates.ts';
import { type FakeReach, fakeReach, withWave } from '../../fakes/reach.ts';
import { FakeOrchestrations } from '../http/api.ts';

const minute = 60_000;
const watch = (reach: FakeReach) => watchdog(reach, new FakeOrchestrations());
const root = 'a'.repeat(64);

async function world(sync?: NonNullable<Settings['sync']>) {
  const reach = fakeReach();
  const plan = await withWave(reach, sync && { sync });
  const [db, app, web] = plan.workloads as [WorkloadPlan, WorkloadPlan, WorkloadPlan];
  let n = 0;
  const report = (workload: WorkloadPlan, ...events: Pick<WorkloadEvent, 'type' | 'data'>[]) =>
    reach.store.workloads.append(
      'w1',
      workload.workloadId,
      events.map(
        (event) => ({ id: `r${n++}`, time: reach.now(), source: workload.applianceId, ...event }) as WorkloadEvent,
      ),
    );
  const enter = (workload: WorkloadPlan, ...phases: string[]) =>
    report(
      workload,
      ...phases.map(
        (phase) =>
          ({ type: 'landfall.workload.phaseEntered', data: { phase, reason: 't' } }) as Pick<
            WorkloadEvent,
            'type' | 'data'
          >,
      ),
    );
  const syncOf = async (workload: WorkloadPlan) =>
    (await reach.store.workloads.get('w1', workload.workloadId))!.state.sync;
  const complete = async (workload: WorkloadPlan) => {
    const { syncId, kind } = await syncOf(workload);
    await report(workload, {
      type: 'landfall.sync.completed',
      data: {
        syncId,
        kind,
        startedAt: reach.now(),
        disks: [{ diskId: 'os', sizeBytes: 1, readBytes: 1, changedBytes: 1, root, snapshot: 's' }],
        root,
        verified: { mode: 'all', bytes: 1 },
        consistency: 'none',
        resumed: false,
      },
    } as Pick<WorkloadEvent, 'type' | 'data'>);
  };
  const sent = () =>
    reach.bus.sent.map(({ command: { type, operationId }, attempt }) =>
      `${type} ${operationId} ${attempt ?? ''}`.trim(),
    );
  return { reach, db, app, web, report, enter, syncOf, complete, sent };
}
/** A workload whose initial sync is done. */
async function replicating(sync?: NonNullable<Settings['sync']>) {
  const all = await world(sync);
  await all.enter(all.db, 'preparing', 'replicating');
  await queueSync(all.reach, all.db, 'initial', 'prepare-w1.db-1:sync');
  await all.complete(all.db);
  all.reach.bus.sent.length = 0;
  return all;
}

describe('a sync', () => {
  it('goes to its appliance with everything that it needs, once', async () => {
    const { reach, db, syncOf } = await world();
    const first = await queueSync(reach, db, 'initial', 'prepare-w1.db-1:sync');
    expect(await queueSync(reach, db, 'initial', 'prepare-w1.db-1:sync')).toEqual(first);
    expect(reach.bus.sent).toEqual([
      {
        attempt: 1,
        command: {
          type: 'landfall.sync.start',
          operationId: 'prepare-w1.db-1:sync',
          aud: 'agent-db-01',
          data: {
            waveId: 'w1',
            workloadId: 'db',
            syncId: syncIdOf('prepare-w1.db-1:sync'),
            kind: 'initial',
            verify: 'written',
            snapshot: undefined,
            disks: [{ diskId: 'os', path: '/srv/db-01.img', sizeBytes: 1048576, blobName: 'w1/db/os.vhd' }],
          },
        },
      },
    ]);
    expect(await syncOf(db)).toMatchObject({ status: 'running', attempt: 1 });
  });

  it('waits while another one of its workload is in flight', async () => {
    const { reach, db } = await world();
    await queueSync(reach, db, 'initial', 'a:1');
    expect(await queueSync(reach, db, 'final', 'b:1')).toEqual({ queued: false, inFlight: syncIdOf('a:1') });
  });

  it('knows the root of the last point, so that a stale manifest is noticed', async () => {
    const { reach, db } = await replicating();
    await queueSync(reach, db, 'final', 'cutover-w1.db-1:final');
    expect(reach.bus.sent[0]?.command.data).toMatchObject({ kind: 'final', previousRoot: root });
  });

  it('is dispatched before older ones if it is the final one', async () => {
    const { reach, db, web, sent } = await world();
    await enqueueSync(reach, web, 'delta', 'd:1');
    reach.pass(1000);
    await enqueueSync(reach, db, 'final', 'f:1');
    expect(await dispatchDue(reach)).toBe(2);
    expect(sent()).toEqual(['landfall.sync.start f:1 1', 'landfall.sync.start d:1 1']);
    expect(await dispatchDue(reach)).toBe(0);
  });

  it('that is withdrawn wakes whoever waits for it and stops at the appliance', async () => {
    const { reach, db, syncOf, sent } = await world();
    await queueSync(reach, db, 'initial', 'prepare-w1.db-1:sync');
    for (let n = 0; n < 2; n++) await withdrawSync(reach, db, 'group-w1.data-1:undo', 'rolled back');
    expect(await syncOf(db)).toMatchObject({ status: 'idle' });
    expect(sent().filter((each) => each.startsWith('landfall.sync.cancel'))).toHaveLength(1);
    const withdrawn = (await reach.store.workloads.events('w1', 'db')).find(
      ({ event }) => event.type === 'landfall.sync.withdrawn',
    );
    expect(milestoneOf(withdrawn!.event)?.name).toBe('prepare-w1.db-1:sync');
  });
});

describe('the delta timer', () => {
  it('starts a delta a cadence after the last sync, and again a cadence later', async () => {
    const { reach, db, sent, complete } = await replicating();
    await deltaSyncs(reach);
    reach.pass(15 * minute);
    await Promise.all([deltaSyncs(reach), deltaSyncs(reach)]);
    expect(new Set(sent()).size).toBe(1);
    expect(sent()[0]).toMatch(/^landfall\.sync\.start deltas:w1\.db:\d+ 1$/);
    await complete(db);
    reach.pass(15 * minute);
    await deltaSyncs(reach);
    expect(new Set(sent()).size).toBe(2);
  });

  it('also after one that failed', async () => {
    const { reach, db, sent, report, syncOf } = await replicating();
    reach.pass(15 * minute);
    await deltaSyncs(reach);
    const { syncId, kind } = await syncOf(db);
    await report(db, {
      type: 'landfall.sync.failed',
      data: { syncId, kind, code: 'c', message: 'm', suggestion: '' },
    } as Pick<WorkloadEvent, 'type' | 'data'>);
    await deltaSyncs(reach);
    expect(sent()).toHaveLength(1);
    reach.pass(15 * minute);
    await deltaSyncs(reach);
    expect(sent()).toHaveLength(2);
  });
});

describe('replication that falls behind', () => {
  it('is told once for each point, and is forgotten with the next one', async () => {
    const { reach, db, complete } = await replicating({ rpo: 'PT1H', cadence: 'PT12H' });
    const behind = async () => (await reach.store.workloads.get('w1', db.workloadId))?.state.behind;
    await deltaSyncs(reach);
    expect(await behind()).toBeUndefined();
    reach.pass(61 * minute);
    for (let n = 0; n < 2; n++) await deltaSyncs(reach);
    expect(await behind()).toMatchObject({ rpo: 'PT1H', lagSeconds: 3660 });
    const told = (await reach.store.workloads.events('w1', db.workloadId)).filter(
      ({ event }) => event.type === 'landfall.sync.fellBehind',
    );
    expect(told).toHaveLength(1);
    reach.pass(12 * 60 * minute);
    await deltaSyncs(reach);
    await complete(db);
    expect(await behind()).toBeUndefined();
  });
});

describe('the watchdog', () => {
  const healthy = (reach: FakeReach) =>
    reach.store.appliances.put({
      id: 'appliance.agent-db-01',
      kind: 'appliance',
      environmentId: 'west',
      applianceId: 'agent-db-01',
      applianceKind: 'agent',
      status: 'healthy',
      heardAt: reach.now(),
    });

  it('sends a command again that a crash kept from being sent', async () => {
    const { reach, db, sent, syncOf } = await world();
    await healthy(reach);
    reach.bus.broken = true;
    await expect(queueSync(reach, db, 'initial', 'a:1')).rejects.toThrow('the connection is gone');
    reach.bus.broken = false;
    await watch(reach);
    expect(sent()).toEqual([]);
    reach.pass(5 * minute);
    await healthy(reach);
    await watch(reach);
    expect(await syncOf(db)).toMatchObject({ status: 'stalled' });
    await watch(reach);
    expect(sent()).toEqual(['landfall.sync.start a:1 2']);
    await watch(reach);
    expect(sent()).toHaveLength(1);
  });

  it('leaves a stalled sync alone while its appliance is silent', async () => {
    const { reach, db, sent, syncOf } = await world();
    await healthy(reach);
    await queueSync(reach, db, 'initial', 'a:1');
    for (let n = 0; n < 3; n++) {
      reach.pass(5 * minute);
      await watch(reach);
    }
    expect((await reach.store.appliances.get('agent-db-01'))?.status).toBe('silent');
    expect(await syncOf(db)).toMatchObject({ status: 'stalled', attempt: 1 });
    expect(sent()).toHaveLength(1);
    await healthy(reach);
    await watch(reach);
    expect(await syncOf(db)).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('gives a sync up after its last attempt', async () => {
    const { reach, db, syncOf, sent } = await world();
    await queueSync(reach, db, 'initial', 'a:1');
    for (let n = 0; n < 2 * dispatchesAtMost; n++) {
      reach.pass(5 * minute);
      await healthy(reach);
      await watch(reach);
    }
    expect(await syncOf(db)).toMatchObject({ status: 'idle' });
    expect(sent().filter((each) => each.startsWith('landfall.sync.start'))).toHaveLength(dispatchesAtMost);
  });

  it('lets gates expire by their policy, in waves that run', async () => {
    const { reach } = await world();
    const open = (name: 'uat' | 'commit', onExpiry: 'hold' | 'reject') =>
      reach.store.gates.open(
        gateOf(
          {
            id: `gate.data.${name}.1-0`,
            groupId: 'data',
            name,
            openedAt: reach.now(),
            expiresAt: '2026-12-01T01:00:00.000Z',
            operationId: `g:${name}`,
          },
          { onExpiry },
        ),
      );
    await open('uat', 'reject');
    await open('commit', 'hold');
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'running' }));
    const statuses = async () =>
      (await reach.store.gates.list('w1')).map(({ name, status }) => `${name} ${status}`).sort();
    await watch(reach);
    expect(await statuses()).toEqual(['commit open', 'uat open']);
    reach.pass(60 * minute);
    await watch(reach);
    expect(await statuses()).toEqual(['commit expired', 'uat rejected']);
  });
});
