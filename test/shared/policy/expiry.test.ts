import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WavePlan } from '../../../shared/model/plan.ts';
import { expiredClones, type Owned } from '../../../shared/policy/expiry.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import { cloneParts, resourceNames } from '../../../shared/store/plans.ts';
import { environment, profile, sources, waveDefinition } from '../../fakes/definitions.ts';

const now = '2026-12-05T12:00:00.000Z';
const past = '2026-12-05T11:59:59.000Z';
const future = '2026-12-05T12:00:01.000Z';
const names = { parts: cloneParts, securityGroup: resourceNames.isolationGroup };

const planned = resolvePlan(
  { definition: waveDefinition(), environment, profile, sources, now: '2026-12-01T00:00:00.000Z' },
  () => 'hash',
);
if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
const plan: WavePlan = planned.plan;

const owned = (name: string, workload: string, change: Record<string, string> = {}): Owned => ({
  name,
  tags: {
    'landfall:owner': 'landfall',
    'landfall:wave': 'w1',
    'landfall:workload': workload,
    'landfall:purpose': 'test',
    'landfall:expires': past,
    ...change,
  },
});
const clone = (workload: string, machine: string, change = {}): Owned[] =>
  [`${machine}-uat`, `${machine}-uat-nic`, `${machine}-uat-os`].map((name) => owned(name, workload, change));
const around = (group: string, change = {}) => owned(`lf-isolated-w1-${group}`, group, change);
const expired = (...all: Owned[]) => expiredClones(all, plan, names, now);

describe('clones whose time is over', () => {
  it('go whole, group by group, the security group with the last of them', () => {
    expect(expired(...clone('db', 'db-01'), around('data'), ...clone('app', 'app-01'))).toEqual([
      {
        groupId: 'data',
        workloadIds: ['db'],
        parts: ['db-01-uat', 'db-01-uat-nic', 'db-01-uat-os', 'lf-isolated-w1-data'],
      },
      { groupId: 'shop', workloadIds: ['app'], parts: ['app-01-uat', 'app-01-uat-nic', 'app-01-uat-os'] },
    ]);
  });

  it('stay while any part of them, or any clone behind their security group, is younger', () => {
    const [machine, ...others] = clone('db', 'db-01');
    const young = { ...machine, tags: { ...machine?.tags, 'landfall:expires': future } } as Owned;
    expect(expired(young, ...others, around('data'))).toEqual([]);
    expect(
      expired(...clone('app', 'app-01'), ...clone('web', 'web-01', { 'landfall:expires': future }), around('shop')),
    ).toMatchObject([{ workloadIds: ['app'], parts: ['app-01-uat', 'app-01-uat-nic', 'app-01-uat-os'] }]);
  });

  it('leave their security group to go alone where it was left alone', () => {
    expect(expired(around('data'))).toEqual([{ groupId: 'data', workloadIds: [], parts: ['lf-isolated-w1-data'] }]);
  });
});

it('nothing is ever removed that does not say by every tag and by its name that it is a clone of this wave', () => {
  const name = fc.constantFrom(
    'db-01-uat',
    'db-01-uat-os',
    'db-01',
    'db-01-os',
    'db-01-nic',
    'lf-target-west',
    'other-uat',
  );
  const tag = (...values: string[]) => fc.constantFrom(...values);
  const resource = fc.record({
    name,
    tags: fc.record(
      {
        'landfall:owner': tag('landfall', 'somebody'),
        'landfall:wave': tag('w1', 'w2'),
        'landfall:workload': tag('db', 'app', 'data'),
        'landfall:purpose': tag('test', 'cutover'),
        'landfall:expires': tag(past, future, 'never'),
      },
      { requiredKeys: [] },
    ),
  });
  fc.assert(
    fc.property(fc.array(resource, { maxLength: 6 }), (all) => {
      const going = expired(...(all as Owned[]));
      for (const part of going.flatMap(({ parts }) => parts)) {
        const said = all.filter((each) => each.name === part && each.tags['landfall:purpose'] === 'test');
        expect(['db-01-uat', 'db-01-uat-os']).toContain(part);
        expect(said.some(({ tags }) => tags['landfall:owner'] === 'landfall' && tags['landfall:wave'] === 'w1')).toBe(
          true,
        );
        expect(said.some(({ tags }) => tags['landfall:workload'] === 'db' && tags['landfall:expires'] === past)).toBe(
          true,
        );
      }
    }),
  );
});
