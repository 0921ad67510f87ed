import { expect, it } from 'vitest';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import type { Need } from '../../../shared/model/dependency.ts';
import { type Standing, unmetNeeds } from '../../../shared/policy/unmetNeeds.ts';
import { examplePlan } from '../../fakes/reach.ts';

const homes = new Map(examplePlan().workloads.map(({ workloadId, groupId }) => [workloadId, groupId]));
type Status = Standing['groups'][string]['status'];

function unmet(needs: Need[], data: Status, shop: Status, phases: Record<string, Phase> = {}, ownId = 'w1') {
  const groups = { data: { status: data }, shop: { status: shop } };
  const workloads = Object.entries(phases).map(([id, phase]) => [id, { phase, groupId: homes.get(id) ?? '' }] as const);
  const standing = { groupIds: ['data', 'shop'], groups, workloads: new Map(workloads) };
  return unmetNeeds(ownId, needs, ['x', 'y'], new Map([['w1', standing]]));
}
const data: Need = { waveId: 'w1', groupId: 'data' };
const db: Need = { waveId: 'w1', pairs: [{ workload: 'x', needs: 'db' }] };
const met = { waitsFor: [], ended: undefined };

it('a group is waited for until it has committed, and in vain once it has ended otherwise', () => {
  expect(unmet([data], 'committed', 'planned')).toEqual(met);
  for (const status of [
    'planned',
    'preparing',
    'testing',
    'waiting',
    'cuttingOver',
    'validating',
    'rollingBack',
  ] as const)
    expect(unmet([data], status, 'planned')).toEqual({ waitsFor: ['group data'], ended: undefined });
  for (const status of ['held', 'rolledBack', 'failed'] as const)
    expect(unmet([data], status, 'planned').ended).toBe('group data, which it depends on, was not committed');
});

it('another wave is waited for whatever became of it: it may start again', () => {
  for (const status of ['held', 'rolledBack', 'failed'] as const)
    expect(unmet([data], status, 'planned', {}, 'w2')).toEqual({
      waitsFor: ['group data of wave w1'],
      ended: undefined,
    });
  expect(unmet([{ waveId: 'w1' }], 'committed', 'held', {}, 'w2').waitsFor).toEqual(['wave w1']);
  expect(unmet([{ waveId: 'w1' }], 'committed', 'committed', {}, 'w2')).toEqual(met);
  expect(unmet([{ waveId: 'w9' }], 'committed', 'committed', {}, 'w2').waitsFor).toEqual(['wave w9']);
});

it('a single workload is waited for by its partner only', () => {
  expect(unmet([db], 'validating', 'planned', { db: 'validating' }).waitsFor).toEqual(['workload db']);
  expect(unmet([db], 'validating', 'planned', { db: 'committed' })).toEqual(met);
  const others: Need = { waveId: 'w1', pairs: [{ workload: 'z', needs: 'db' }] };
  expect(unmet([others], 'planned', 'planned')).toEqual(met);
});

it('a workload that its group has left behind is waited for in vain, and not if that group is elsewhere', () => {
  expect(unmet([db], 'committed', 'planned', { db: 'withdrawn' }).ended).toContain('workload db');
  expect(unmet([db], 'rolledBack', 'planned', { db: 'replicating' }).ended).toContain('workload db');
  expect(unmet([db], 'committed', 'planned', { db: 'withdrawn' }, 'w2').ended).toBeUndefined();
});

it('what is waited for is named once', () => {
  expect(
    unmet([data, data, { ...db, pairs: [...(db.pairs ?? []), { workload: 'y', needs: 'db' }] }], 'testing', 'planned')
      .waitsFor,
  ).toEqual(['group data', 'workload db']);
});
