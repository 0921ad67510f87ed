// Orders to what runs and answers to its questions: what is accepted, and how what is not is explained.
import { describe, expect, it } from 'vitest';
import { recordUnheeded } from '../../../orchestrators/journal/orders/activities.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import type { AttentionDocument } from '../../../shared/store/documents.ts';
import { callWith, withWave } from '../../fakes/reach.ts';
import { startApi, type User, users } from './api.ts';

const { api } = await startApi();
const at = '2026-12-01T00:00:00.000Z';

async function started() {
  const one = api();
  await withWave(one.reach);
  await one.ask('POST', '/api/waves/w1/start', { as: 'ada' });
  const append = (workloadId: string, ...events: Omit<WorkloadEvent, 'time' | 'source'>[]) =>
    one.reach.store.workloads.append(
      'w1',
      workloadId,
      events.map((event) => ({ ...event, time: at, source: 'platform' }) as WorkloadEvent),
    );
  const walk = (workloadId: string, ...phases: Phase[]) =>
    append(
      workloadId,
      ...phases.map((phase) => ({
        id: `to-${phase}`,
        type: 'landfall.workload.phaseEntered' as const,
        data: { phase, reason: 'test' },
      })),
    );
  const order = (as: User, path: string, body: object = {}) =>
    one.ask('POST', `/api/waves/w1/${path}`, { as, body: { reason: 'r', ...body } });
  const signals = async () => (await one.reach.store.controls.list('w1')).map(({ signal }) => signal);
  return { ...one, append, walk, order, signals };
}

it('an order that a group did not heed is shown with the way out, for as long as that attempt lasts', async () => {
  const { reach, ask } = await started();
  const order = { action: 'cancel', to: 'withdrawn', by: 'ada', reason: 'r', id: 'control.1', at } as const;
  const unheeded = {
    waveId: 'w1',
    groupId: 'shop',
    workloadIds: ['web'],
    operationId: 'group-w1.shop-1:unheeded:0',
    order,
  };
  for (let time = 0; time < 2; time++) await recordUnheeded.handle(reach, callWith(unheeded));
  const view = async () => (await ask('GET', '/api/waves/w1', { as: 'alan' })).body.unheeded;
  expect(await view()).toMatchObject([
    { orderId: 'control.1', groupId: 'shop', wayOut: expect.stringContaining('/api/waves/w1/rollback') },
  ]);
  await reach.store.waves.change('w1', (wave) => ({ ...wave, attempt: wave.attempt + 1 }));
  expect(await view()).toEqual([]);
});

describe('pausing', () => {
  it('a wave reaches all that may run, a group or a workload only what is theirs', async () => {
    const { order, reach } = await started();
    const reached = async (body: object) => {
      expect((await order('ada', 'pause', body)).status).toBe(202);
      return (await reach.store.controls.list('w1')).at(-1);
    };
    expect((await reached({}))?.instanceIds).toEqual({ allOfAttempt: 1 });
    expect((await reached({ group: 'data' }))?.instanceIds).toEqual([
      'group-w1.data-1',
      'prepare-w1.db-1',
      'cutover-w1.db-1',
    ]);
    const { signal, instanceIds } = (await reached({ workloads: ['app'] })) ?? {};
    expect(signal).toMatchObject({ action: 'pause', workloadIds: ['app'], deltas: 'goOn', by: users.ada.oid });
    expect(instanceIds).toEqual(['group-w1.shop-1', 'prepare-w1.app-1', 'cutover-w1.app-1']);
  });

  it('is shown at the wave and its groups until it is resumed', async () => {
    const { order, ask } = await started();
    const view = async () => (await ask('GET', '/api/waves/w1', { as: 'alan' })).body;
    await order('ada', 'pause', { deltas: 'stop' });
    expect((await view()).pause).toMatchObject({ reason: 'r', deltas: 'stop' });
    await order('ada', 'resume', { group: 'data' });
    const [data, shop] = (await view()).groups;
    expect([data.pause, data.workloads[0].pause, shop.pause?.reason, shop.workloads[0].pause?.reason]).toEqual([
      ...[undefined, undefined],
      ...['r', 'r'],
    ]);
    await order('ada', 'resume');
    expect((await view()).pause).toBeUndefined();
  });

  it('in a cutover says who is down for as long as it lasts', async () => {
    const { order, append } = await started();
    await append('db', { id: 'down', type: 'landfall.downtime.began', data: { at } });
    const { body } = await order('ada', 'pause');
    expect(body).toMatchObject({ down: [{ workloadId: 'db', since: at }] });
    expect(body.warning).toContain('Nobody serves db');
  });

  it('of unknown names is refused name by name, and of a wave that does not run altogether', async () => {
    const { order, reach, signals } = await started();
    const { status, body } = await order('ada', 'pause', { workloads: ['app', 'ap'] });
    expect([status, body.errors]).toMatchObject([400, [{ path: 'workloads[1]', value: 'ap' }]]);
    expect((await order('ada', 'pause', { group: 'sho' })).body.errors).toMatchObject([{ path: 'group' }]);
    expect((await order('alan', 'pause')).status).toBe(403);
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'committed' }));
    expect((await order('ada', 'pause')).status).toBe(409);
    expect(await signals()).toEqual([]);
  });

  it('is refused where the wave ends or begins anew while the order is being written down', async () => {
    for (const meanwhile of [{ status: 'rolledBack' }, { attempt: 2 }] as const) {
      const { order, reach, signals } = await started();
      const { list } = reach.store.controls;
      reach.store.controls.list = async (waveId) => {
        reach.store.controls.list = list;
        await reach.store.waves.change(waveId, (wave) => ({ ...wave, ...meanwhile }));
        return list(waveId);
      };
      expect((await order('ada', 'cancel')).status).toBe(409);
      expect(await signals()).toEqual([]);
    }
  });

  it('of an attempt is older than the next attempt, even in one millisecond', async () => {
    const { order, reach, ask, orchestrations } = await started();
    await order('ada', 'cancel');
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'cancelled' }));
    const [given] = await reach.store.controls.list('w1');
    orchestrations.standings.set('wave-w1', 'ended');
    await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    const { attempt, startedAt = '' } = (await reach.store.waves.get('w1')) ?? {};
    expect([attempt, startedAt > (given?.at ?? '')]).toEqual([2, true]);
  });

  it('and resuming in one millisecond keep their order', async () => {
    const { order, reach, signals } = await started();
    reach.now = () => at;
    await order('ada', 'pause');
    await order('ada', 'resume');
    const [pause, resume] = await signals();
    expect([pause?.action, resume?.action]).toEqual(['pause', 'resume']);
    expect((resume?.at ?? '') > (pause?.at ?? '')).toBe(true);
  });
});

describe('rolling back single workloads', () => {
  it('names them to their own instances and to their group', async () => {
    const { order, reach } = await started();
    expect((await order('ada', 'rollback', { workloads: ['web'] })).status).toBe(202);
    const [control] = await reach.store.controls.list('w1');
    expect(control?.signal).toMatchObject({ action: 'rollback', workloadIds: ['web'] });
    expect(control?.instanceIds).toEqual(['group-w1.shop-1', 'prepare-w1.web-1', 'cutover-w1.web-1']);
  });

  it('is refused where the others could not go on, or once the cutover has begun', async () => {
    const { order, reach, signals } = await started();
    expect((await order('ada', 'rollback', { workloads: ['db'] })).body.detail).toContain('nobody would be left');
    await reach.store.waves.change('w1', (wave) => ({
      ...wave,
      groups: { ...wave.groups, shop: { status: 'cuttingOver', updatedAt: at } },
    }));
    const { status, body } = await order('ada', 'rollback', { workloads: ['web'] });
    expect([status, body.detail]).toEqual([409, expect.stringContaining('Roll back the group instead')]);
    expect(await signals()).toEqual([]);
  });
});

describe('an answer', () => {
  async function asked(change: Partial<AttentionDocument> = {}) {
    const one = await started();
    await one.reach.store.attentions.open({
      id: 'attention.1',
      kind: 'attention',
      waveId: 'w1',
      step: 'finalDelta',
      workloadIds: ['web'],
      failure: { code: 'shutdownRefused', kind: 'terminal', message: 'm', suggestion: 's' },
      during: 'run',
      choices: ['retry', 'skip', 'rollback', 'cancel'],
      accepts: { properties: { onShutdownRefused: {}, withinSeconds: {} } },
      status: 'open',
      openedAt: at,
      operationId: 'cutover-w1.web-1:help',
      ...change,
    });
    return { ...one, answer: (as: User, body: object) => one.order(as, 'attentions/attention.1', body) };
  }

  it('with changed input is checked against what the step accepts', async () => {
    const { answer } = await asked();
    const wrong = await answer('ada', { choice: 'retry', changed: { onShutdownRefuse: 'force', withinSeconds: 0 } });
    expect([wrong.status, wrong.body.errors]).toMatchObject([
      400,
      [
        { path: 'changed.withinSeconds' },
        { path: 'changed.onShutdownRefuse', fix: expect.stringContaining('onShutdownRefused') },
      ],
    ]);
    const { body } = await answer('ada', { choice: 'retry', changed: { onShutdownRefused: 'force' } });
    expect(body.answer).toMatchObject({ choice: 'retry', changed: { onShutdownRefused: 'force' }, by: users.ada.oid });
  });

  it('with changed input is refused by a step that takes none', async () => {
    const { answer } = await asked({ step: 'initialSync' });
    const { status, body } = await answer('ada', { choice: 'retry', changed: { anything: 1 } });
    expect([status, body.errors]).toMatchObject([400, [{ path: 'changed', fix: 'leave it out' }]]);
  });

  it('takes no field that belongs to another choice', async () => {
    const { answer } = await asked();
    const { body } = await answer('ada', { choice: 'skip', to: 'withdrawn', alone: true, changed: {} });
    expect(body.errors).toMatchObject([{ path: 'to' }, { path: 'alone' }, { path: 'changed' }]);
  });

  it('that weakens a proof takes an approver', async () => {
    const weak = { step: 'uat', skipNeeds: 'approver', changesNeed: 'approver' } as const;
    for (const given of [{ choice: 'skip' }, { choice: 'retry', changed: { leaveOut: ['boots'] } }]) {
      const { answer } = await asked(weak);
      expect((await answer('ada', given)).body.detail).toContain('needs the role approver');
      expect((await answer('grace', given)).status).toBe(200);
    }
  });

  it('rolls one workload back alone only where its step is its own and its group can go on', async () => {
    const alone = { choice: 'rollback', alone: true };
    expect((await (await asked()).answer('ada', alone)).body.answer).toMatchObject({ alone: true });
    const needed = await asked({ workloadIds: ['app'] });
    expect((await needed.answer('ada', alone)).body.detail).toContain('depends on app');
    const ofGroup = await asked({ step: 'uat' });
    expect((await ofGroup.answer('ada', alone)).body.detail).toContain('for the whole group');
  });
});

it('the view says what a rollback takes, for each group and workload', async () => {
  const { ask, walk, append } = await started();
  const to: Phase[] = ['preparing', 'replicating', 'cutoverQueued', 'stoppingServices', 'finalSync', 'sourceOff'];
  await append('db', { id: 's', type: 'landfall.step.started', data: { step: 'finalDelta', attempt: 1 } });
  await walk('db', ...to);
  const group = async () => (await ask('GET', '/api/waves/w1', { as: 'alan' })).body.groups[0];
  expect((await group()).wayBack).toEqual({ may: 'free', by: 'operator', undoes: ['finalDelta'], withdrawing: [] });
  await walk('db', 'launching', 'trafficMoved');
  expect((await group()).workloads[0].wayBack).toMatchObject({ may: 'acceptDataLoss', by: 'approver' });
  await walk('db', 'validating', 'committed');
  expect((await group()).wayBack).toEqual({ may: 'none', by: null, undoes: [], withdrawing: [] });
});
