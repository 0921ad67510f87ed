// A wave that has not started becomes another one, version by version.
import { describe, expect, it } from 'vitest';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import { applyChanges } from '../../../shared/policy/diff.ts';
import { source, wavePosted } from '../../fakes/definitions.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi, users } from './api.ts';

const { api } = await startApi();
type Posted = ReturnType<typeof wavePosted>;

async function stored() {
  const one = api();
  await withWave(one.reach);
  return {
    ...one,
    put: (change: (wave: Posted) => void, { match = '"1"', query = '?reason=a+better+plan' } = {}) => {
      const body = wavePosted();
      change(body);
      return one.ask('PUT', `/api/waves/w1${query}`, {
        as: 'ada',
        body,
        headers: match === '' ? {} : { 'if-match': match },
      });
    },
    walk: async (workloadId: string, ...phases: Phase[]) => {
      const events = phases.map(
        (phase): WorkloadEvent => ({
          ...{ id: `to-${phase}`, time: one.reach.now(), source: 'platform', type: 'landfall.workload.phaseEntered' },
          data: { phase, reason: 'test' },
        }),
      );
      expect((await one.reach.store.workloads.append('w1', workloadId, events)).illegal).toEqual([]);
    },
    phaseOf: async (id: string) => (await one.reach.store.workloads.get('w1', id))?.state.phase,
  };
}
const without = (id: string) => (wave: Posted) => {
  wave.groups[1]!.workloads = wave.groups[1]!.workloads.filter((workload) => workload.id !== id);
};
const renamed = (wave: Posted) => {
  wave.groups[1]!.workloads[1]!.target.name = 'web-02';
};

describe('a new version', () => {
  it('answers what is different, is what the wave then is, and is recorded with who, when and why', async () => {
    const { put, ask, reach } = await stored();
    reach.pass(60_000);
    const { status, body, headers } = await put(renamed);
    expect(status).toBe(200);
    expect(headers['etag']).toBe('"2"');
    const name = { before: 'web-01', after: 'web-02' };
    expect(body).toMatchObject({ version: 2, replaces: 1, stored: true });
    expect(body.diff).toEqual([{ path: 'groups[shop].workloads[web].target.name', ...name }]);
    expect(body.planDiff).toEqual([{ path: 'workloads[web].target.name', ...name }]);
    const view = await ask('GET', '/api/waves/w1', { as: 'alan' });
    expect(view.headers['etag']).toBe('"2"');
    expect(view.body).toMatchObject({ status: 'planned', version: 2, planHash: body.plan.hash });
    const workload = (await ask('GET', '/api/waves/w1/workloads/web', { as: 'alan' })).body;
    expect(workload.plan.target.name).toBe('web-02');
    expect(workload.state).toMatchObject({ phase: 'registered', planVersion: 2, planHash: workload.plan.hash });
    const { versions } = (await ask('GET', '/api/waves/w1/versions', { as: 'alan' })).body;
    expect(versions).toMatchObject([
      { version: 1, by: 'ada', at: '2026-12-01T00:00:00.000Z' },
      { version: 2, by: users.ada.oid, at: '2026-12-01T00:01:00.000Z', reason: 'a better plan' },
    ]);
    const one = (await ask('GET', '/api/waves/w1/versions/1', { as: 'alan' })).body;
    const two = (await ask('GET', '/api/waves/w1/versions/2', { as: 'alan' })).body;
    const told = (await ask('GET', '/api/waves/w1/versions/2/diff', { as: 'alan' })).body;
    expect(told).toMatchObject({ from: 1, version: 2, reason: 'a better plan', diff: body.diff });
    expect(applyChanges(one.definition, told.diff)).toEqual(two.definition);
    expect((await ask('GET', '/api/waves/w1/versions/3', { as: 'alan' })).status).toBe(404);
    expect((await ask('GET', '/api/waves/w1/versions/1/diff', { as: 'alan' })).status).toBe(404);
  });

  it('with dryRun is only shown', async () => {
    const { put, ask, reach } = await stored();
    const before = await reach.store.waves.get('w1');
    const { body } = await put(without('web'), { match: '', query: '?dryRun=true' });
    expect(body).toMatchObject({ version: 2, stored: false, diff: [{ path: 'groups[shop].workloads[web]' }] });
    expect(body.diff[0]).not.toHaveProperty('after');
    expect(await reach.store.waves.get('w1')).toEqual(before);
    expect((await ask('GET', '/api/waves/w1/versions', { as: 'alan' })).body.versions).toHaveLength(1);
  });

  it('is refused without its reason, without the version that it changes, and if somebody was faster', async () => {
    const { put } = await stored();
    expect((await put(renamed, { query: '' })).body.errors).toMatchObject([{ path: 'reason' }]);
    const unsaid = await put(renamed, { match: '' });
    expect(unsaid).toMatchObject({ status: 428, body: { detail: expect.stringContaining('If-Match: "1"') } });
    expect((await put(renamed)).status).toBe(200);
    const late = await put(without('web'));
    expect(late).toMatchObject({ status: 412, body: { detail: expect.stringContaining('has version 2') } });
    expect((await put(without('web'), { match: '"2"' })).body.version).toBe(3);
  });

  it('is none if nothing changes, also for whoever says it twice', async () => {
    const { put } = await stored();
    expect((await put(() => {})).body).toMatchObject({ version: 1, stored: false, diff: [], planDiff: [] });
    await put(renamed);
    expect((await put(renamed)).body).toMatchObject({ version: 2, stored: false, diff: [] });
  });

  it('of two at once one is made and the other refused', async () => {
    const { put } = await stored();
    const both = await Promise.all([put(renamed), put(without('web'))]);
    const [made, refused] = both.map(({ status }) => status).sort();
    expect(made).toBe(200);
    expect([409, 412]).toContain(refused);
  });
});

describe('a workload that a version leaves out', () => {
  it('is unregistered: its log says so, the wave does not know it, its source is free', async () => {
    const { put, ask, phaseOf } = await stored();
    await put(without('web'));
    const { body } = await ask('GET', '/api/waves/w1', { as: 'alan' });
    expect(body.groups[1].workloads.map(({ workloadId }: { workloadId: string }) => workloadId)).toEqual(['app']);
    expect(await phaseOf('web')).toBe('unregistered');
    const { events } = (await ask('GET', '/api/waves/w1/workloads/web/events', { as: 'alan' })).body;
    expect(events).toMatchObject([
      { type: 'landfall.workload.registered' },
      {
        type: 'landfall.workload.unregistered',
        source: `user:${users.ada.oid}`,
        data: { version: 2, reason: 'a better plan' },
      },
    ]);
    const web = { ...wavePosted().groups[1]!.workloads[1]!, dependsOn: [] };
    const other = { ...wavePosted(), id: 'w2', groups: [{ id: 'late', workloads: [web] }] };
    expect((await ask('POST', '/api/waves?dryRun=true', { as: 'ada', body: other })).status).toBe(200);
  });

  it('comes back with a later version, with the plan of that one', async () => {
    const { put, phaseOf, reach } = await stored();
    await put(without('web'));
    expect((await put(renamed, { match: '"2"' })).status).toBe(200);
    expect(await phaseOf('web')).toBe('registered');
    const web = await reach.store.workloads.get('w1', 'web');
    expect(web).toMatchObject({ plan: { target: { name: 'web-02' } }, state: { planVersion: 3, version: 3 } });
    expect((await reach.store.workloads.list('w1')).map(({ workloadId }) => workloadId).sort()).toEqual([
      'app',
      'db',
      'web',
    ]);
  });

  it('stays if another wave waits for it', async () => {
    const { put, ask } = await stored();
    const pairs = [{ workload: 'late', needs: 'web' }];
    const other = {
      ...{ ...wavePosted(), id: 'w2' },
      groups: [
        {
          id: 'later',
          dependsOn: [{ wave: 'w1', kind: 'mapped', pairs }],
          workloads: [{ id: 'late', source: 'late-01', method: 'agent', target: { name: 'late-01' } }],
        },
      ],
    };
    await ask('PUT', '/api/sources/late-01', { as: 'ada', body: source('late-01') });
    expect((await ask('POST', '/api/waves', { as: 'ada', body: other })).status).toBe(201);
    const { status, body } = await put(without('web'));
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([
      { value: 'web', message: 'wave "w2", group "later", waits for workload "web", which is not in wave "w1"' },
    ]);
  });
});

describe('a plan is immutable', () => {
  it('while its wave runs, and the refusal names the way out', async () => {
    const { put, ask } = await stored();
    await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    const { status, body } = await put(renamed);
    expect(status).toBe(409);
    expect(body.detail).toContain('Cancel it, or roll it back to "withdrawn"');
  });

  it('after it has ended with something in hand, and not once that is withdrawn', async () => {
    const { put, ask, walk, reach, orchestrations } = await stored();
    await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    await walk('web', 'preparing', 'replicating', 'rollingBack');
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'rolledBack', reason: 'told so' }));
    orchestrations.standings.set('wave-w1', 'ended');
    const refused = await put(renamed);
    expect(refused.body.detail).toContain('web is rollingBack');
    await walk('web', 'withdrawn');
    expect((await put(renamed)).status).toBe(200);
    const view = (await ask('GET', '/api/waves/w1', { as: 'alan' })).body;
    expect(view).toMatchObject({ status: 'planned', version: 2 });
    expect(view.endedAt).toBeUndefined();
    await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    expect(orchestrations.started.map(({ input }) => input)).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
  });

  it('for good once it has committed', async () => {
    const { put, reach } = await stored();
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'committed' }));
    expect((await put(renamed)).body.detail).toContain('Post another wave');
  });
});

it('a workload that was replicated keeps its source', async () => {
  const { put, ask, walk, reach, orchestrations } = await stored();
  await ask('PUT', '/api/sources/web-09', { as: 'ada', body: source('web-09') });
  await ask('POST', '/api/waves/w1/start', { as: 'ada' });
  const sync = { syncId: 's1', kind: 'initial' as const };
  const times = { time: reach.now(), source: 'agent-web-01' };
  await walk('web', 'preparing');
  await reach.store.workloads.append('w1', 'web', [
    {
      ...{ id: 'q', time: reach.now(), source: 'platform', type: 'landfall.sync.queued' },
      data: { ...sync, syncOperationId: 'o', applianceId: 'agent-web-01' },
    },
    {
      ...{ id: 'c', ...times, type: 'landfall.sync.completed' },
      data: { ...sync, startedAt: reach.now(), root: 'r', disks: [], consistency: 'crash' },
    } as unknown as WorkloadEvent,
  ]);
  await walk('web', 'rollingBack', 'withdrawn');
  await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'cancelled' }));
  orchestrations.standings.set('wave-w1', 'ended');
  const { status, body } = await put((wave) => {
    wave.groups[1]!.workloads[1]!.source = 'web-09';
  });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([
    { path: 'groups[1].workloads[1].source', fix: expect.stringContaining('another workload id') },
  ]);
  expect((await put(renamed)).status).toBe(200);
});
