// Who cuts over first and who later: orders to a group about its workloads.
import { expect, it } from 'vitest';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const body = { reason: 'the shop asked for it' };
const path = (workload: string, action: string) => `/api/waves/w1/workloads/${workload}/${action}`;

async function started() {
  const one = api();
  await withWave(one.reach);
  await one.ask('POST', '/api/waves/w1/start', { as: 'ada' });
  const walk = async (workloadId: string, ...phases: Phase[]) => {
    for (const phase of phases)
      await one.reach.store.workloads.append('w1', workloadId, [
        {
          ...{ id: `to-${phase}`, time: '2026-12-01T00:00:00.000Z', source: 'platform' },
          ...{ type: 'landfall.workload.phaseEntered', data: { phase, reason: 'test' } },
        },
      ]);
  };
  return { ...one, walk };
}

it('an order to rush or to defer goes to the workload’s group', async () => {
  const { ask, reach } = await started();
  for (const action of ['rush', 'defer'] as const)
    expect((await ask('POST', path('web', action), { as: 'ada', body })).status).toBe(202);
  const orders = await reach.store.controls.list('w1');
  expect(orders.map(({ signal }) => signal.action).toSorted()).toEqual(['defer', 'rush']);
  for (const { instanceIds, signal } of orders) {
    expect(instanceIds).toContain('group-w1.shop-1');
    expect(signal).toMatchObject({ workloadIds: ['web'], reason: body.reason });
  }
});

it('whoever others depend on is not deferred before them; the refusal names them', async () => {
  const { ask } = await started();
  const refused = await ask('POST', path('app', 'defer'), { as: 'ada', body });
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toBe('web would stay and depends on app: defer that first.');
  await ask('POST', path('web', 'defer'), { as: 'ada', body });
  expect((await ask('POST', path('app', 'defer'), { as: 'ada', body })).status).toBe(202);
  const rushed = await ask('POST', path('web', 'rush'), { as: 'ada', body });
  expect(rushed.body.detail).toBe('web depends on app, which is deferred: rush that first.');
});

it('is refused once the cutover has begun, with the way out', async () => {
  const { ask, walk } = await started();
  await walk('web', 'preparing', 'replicating', 'cutoverQueued');
  expect((await ask('POST', path('web', 'defer'), { as: 'ada', body })).status).toBe(202);
  await walk('web', 'stoppingServices');
  const refused = await ask('POST', path('web', 'defer'), { as: 'ada', body });
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toContain('/api/waves/w1/rollback');
});

it('needs an operator and a reason', async () => {
  const { ask } = await started();
  expect((await ask('POST', path('web', 'rush'), { as: 'grace', body })).status).toBe(403);
  expect((await ask('POST', path('web', 'rush'), { as: 'ada', body: {} })).status).toBe(400);
});

it('is refused from the moment its batch cuts over, for whoever has left, and for whoever does not cut over any more', async () => {
  const { ask, walk, reach } = await started();
  const defer = async () => (await ask('POST', path('web', 'defer'), { as: 'ada', body })).body.detail as string;
  const shop = (status: 'cuttingOver' | 'held') =>
    reach.store.waves.change('w1', (wave) => ({
      ...wave,
      groups: { ...wave.groups, shop: { status, updatedAt: '2026-12-01T00:00:00.000Z' } },
    }));
  await walk('web', 'preparing', 'replicating', 'cutoverQueued');
  await shop('cuttingOver');
  expect(await defer()).toContain('its cutover has begun');
  await walk('web', 'rollingBack');
  expect(await defer()).toBe('web is rollingBack: it does not cut over in this attempt any more.');
  await reach.store.workloads.append('w1', 'web', [
    {
      ...{ id: 'left', time: '2026-12-01T00:00:00.000Z', source: 'platform' },
      ...{ type: 'landfall.workload.left', data: { by: 'ada', reason: 'test', attempt: 1 } },
    },
  ]);
  await walk('web', 'replicating');
  expect(await defer()).toBe('web has left its group: it does not cut over in this attempt any more.');
});

it('an order to a group that has ended is refused while its wave goes on, with the way out', async () => {
  const { ask, reach } = await started();
  await reach.store.waves.change('w1', (wave) => ({
    ...wave,
    groups: { ...wave.groups, shop: { status: 'held', updatedAt: '2026-12-01T00:00:00.000Z' } },
  }));
  const orders: [string, object][] = [
    [path('web', 'rush'), body],
    ['/api/waves/w1/rollback', { ...body, group: 'shop' }],
    ['/api/waves/w1/pause', { ...body, workloads: ['web'] }],
    ['/api/waves/w1/resume', { ...body, group: 'shop' }],
  ];
  for (const [url, asked] of orders) {
    const refused = await ask('POST', url, { as: 'ada', body: asked });
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('Group shop is held')]);
    expect(refused.body.detail).toContain('start');
  }
  expect((await ask('POST', '/api/waves/w1/pause', { as: 'ada', body })).status).toBe(202);
});

it('one workload is not paused alone once its group moves as a whole', async () => {
  const { ask, walk } = await started();
  const pause = (asked: object) => ask('POST', '/api/waves/w1/pause', { as: 'ada', body: { ...body, ...asked } });
  await walk('web', 'preparing', 'replicating', 'cutoverQueued', 'stoppingServices', 'finalSync');
  expect((await pause({ workloads: ['web'] })).status).toBe(202);
  await walk('web', 'sourceOff', 'launching');
  const refused = await pause({ workloads: ['web'] });
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('"group": "shop"')]);
  expect((await pause({ group: 'shop' })).status).toBe(202);
});

it('an order is never dated before the start of its wave: clocks differ, and older ones were for earlier attempts', async () => {
  const { ask, reach } = await started();
  const startedAt = '2027-01-01T00:00:00.000Z';
  await reach.store.waves.change('w1', (wave) => ({ ...wave, startedAt }));
  const { body: told } = await ask('POST', '/api/waves/w1/pause', { as: 'ada', body });
  expect(told.order.at).toBe(startedAt);
});
