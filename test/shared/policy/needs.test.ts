// Who waits for whom: resolved from what people wrote, within a wave and among waves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../shared/hash.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import { shapeOfPlan } from '../../../shared/policy/units.ts';
import { environment, profile, source } from '../../fakes/definitions.ts';

const now = '2026-12-01T00:00:00.000Z';
type Waits = string | Record<string, unknown>;

/** A wave of groups `{ id: [workload ids] }`; sources are called after the workload, with the wave's id unless it has one. */
function resolve(
  id: string,
  groups: Record<string, string[]>,
  waits: Record<string, Waits[]> = {},
  plans: WavePlan[] = [],
) {
  const definition = WaveDefinition.parse({
    ...{ id, name: id, environment: 'west', profile: 'standard', dependsOn: waits['*'] ?? [] },
    window: { start: '2026-12-05T22:00', duration: 'PT4H', zone: 'Europe/Amsterdam' },
    groups: Object.entries(groups).map(([group, workloads]) => ({
      id: group,
      dependsOn: waits[group] ?? [],
      workloads: workloads.map((name) => {
        const [workload = '', from = `${id}-${workload}`] = name.split('@');
        return { id: workload, source: from, method: 'agent', target: { name: `${id}-${workload}` } };
      }),
    })),
  });
  const others = plans.map(shapeOfPlan);
  const sources = definition.groups.flatMap(({ workloads }) => workloads.map((workload) => source(workload.source)));
  return resolvePlan({ definition, environment, profile, sources, others, now }, hashOf);
}
function planned(...of: Parameters<typeof resolve>): WavePlan {
  const resolved = resolve(...of);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  return resolved.plan;
}
function problems(...of: Parameters<typeof resolve>) {
  const resolved = resolve(...of);
  return 'problems' in resolved ? resolved.problems : [];
}
const needsOf = (...of: Parameters<typeof resolve>) =>
  Object.fromEntries(planned(...of).groups.map(({ id, needs }) => [id, needs]));

const w1 = planned('w1', { data: ['db', 'cache'], shop: ['app'] });

describe('a group waits', () => {
  it('for a whole group of its wave, named alone or as an object', () => {
    for (const wait of ['data', { group: 'data' }, { group: 'data', kind: 'whole' }, { wave: 'w2', group: 'data' }])
      expect(needsOf('w2', { data: ['db'], shop: ['app'] }, { shop: [wait] })).toEqual({
        data: [],
        shop: [{ waveId: 'w2', groupId: 'data' }],
      });
  });

  it('for a group of another wave, or for all of that wave', () => {
    const waits = { a: [{ wave: 'w1', group: 'data' }], b: [{ wave: 'w1' }] };
    expect(needsOf('w2', { a: ['x'], b: ['y'] }, waits, [w1])).toEqual({
      a: [{ waveId: 'w1', groupId: 'data' }],
      b: [{ waveId: 'w1' }],
    });
  });

  it('each workload for the one of the same id elsewhere, or of the same source', () => {
    const other = planned('w1', { data: ['db', 'old@shared', 'lone'] });
    const waits = { a: [{ wave: 'w1', kind: 'sameWorkload' }] };
    expect(needsOf('w2', { a: ['db', 'new@shared', 'own'] }, waits, [other])['a']).toEqual([
      {
        waveId: 'w1',
        pairs: [
          { workload: 'db', needs: 'db' },
          { workload: 'new', needs: 'old' },
        ],
      },
    ]);
    expect(problems('w2', { a: ['x'] }, waits, [other])).toMatchObject([
      { path: 'groups[0].dependsOn[0]', fix: expect.stringContaining('mapped') },
    ]);
  });

  it('single workloads for others that are named, and the plan knows which groups go before', () => {
    const pairs = [{ workload: 'app', needs: 'db' }];
    const plan = planned(
      'w2',
      { data: ['db'], shop: ['app', 'web'] },
      { shop: [{ group: 'data', kind: 'mapped', pairs }] },
    );
    expect(plan.groups[1]).toMatchObject({ dependsOn: ['data'], needs: [{ waveId: 'w2', groupId: 'data', pairs }] });
  });

  it('for what its wave waits for, each group with its own workloads', () => {
    const pairs = [{ workload: 'x', needs: 'db' }];
    const waits = { '*': ['w0', { wave: 'w1', kind: 'mapped', pairs }] };
    const w0 = planned('w0', { first: ['one'] });
    expect(needsOf('w2', { a: ['x'], b: ['y'] }, waits, [w0, w1])).toEqual({
      a: [{ waveId: 'w0' }, { waveId: 'w1', pairs }],
      b: [{ waveId: 'w0' }],
    });
  });
});

describe('what stands against a dependency is told with its place:', () => {
  it('names that nobody has, with what was probably meant', () => {
    const waits = {
      a: [
        { wave: 'w11' },
        { wave: 'w1', group: 'dta' },
        'c',
        { wave: 'w1', kind: 'mapped', pairs: [{ workload: 'xx', needs: 'cach' }] },
      ],
      '*': ['w1', 'w3'],
    };
    expect(problems('w2', { a: ['x'], b: ['y'] }, waits, [w1])).toMatchObject([
      { path: 'dependsOn[1]', message: 'there is no wave "w3"', fix: 'did you mean "w2"?' },
      { path: 'groups[0].dependsOn[0].wave', value: 'w11', fix: 'did you mean "w1"?' },
      {
        path: 'groups[0].dependsOn[1].group',
        message: 'there is no group "dta" in wave "w1"',
        fix: 'did you mean "data"?',
      },
      { path: 'groups[0].dependsOn[2]', message: 'there is no group "c"', fix: 'did you mean "a"?' },
      { path: 'groups[0].dependsOn[3].pairs[0].workload', message: 'there is no workload "xx" in group "a"' },
      { path: 'groups[0].dependsOn[3].pairs[0].needs', message: 'there is no workload "cach" in wave "w1"' },
    ]);
  });

  it('a circle within the wave, also through single workloads, for a group cuts over whole', () => {
    const waits = {
      a: [{ group: 'b', kind: 'mapped', pairs: [{ workload: 'a1', needs: 'b1' }] }],
      b: [{ group: 'a', kind: 'mapped', pairs: [{ workload: 'b2', needs: 'a2' }] }],
    };
    expect(problems('w2', { a: ['a1', 'a2'], b: ['b1', 'b2'] }, waits)).toMatchObject([
      { path: 'groups[0].dependsOn', message: 'these wait for each other: a → b → a' },
    ]);
    expect(problems('w2', { a: ['a1'] }, { '*': ['w2'] })).toMatchObject([
      { path: 'dependsOn', message: 'these wait for each other: a → a' },
    ]);
  });

  it('a circle through other waves, named in full', () => {
    const first = planned('w3', { base: ['one'] });
    const between = planned('w4', { mid: ['two'], aside: ['three'] }, { mid: [{ wave: 'w3', group: 'base' }] }, [
      first,
    ]);
    const changed = problems('w3', { base: ['one'], top: ['four'] }, { base: [{ wave: 'w4' }] }, [between, w1]);
    expect(changed).toMatchObject([
      { path: 'groups[0].dependsOn', message: 'these wait for each other: w3/base → w4/mid → w3/base' },
    ]);
  });
});

it('no plan ever has groups that wait for each other, however waves are posted and changed', () => {
  const waveIds = ['w1', 'w2', 'w3'];
  const groupIds = ['a', 'b', 'c'];
  const edge = fc.record({
    wave: fc.constantFrom(...waveIds),
    group: fc.option(fc.constantFrom(...groupIds), { nil: undefined }),
  });
  const change = fc.record({
    wave: fc.constantFrom(...waveIds),
    group: fc.constantFrom(...groupIds),
    waits: fc.array(edge, { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const shape = (id: string) => Object.fromEntries(groupIds.map((group) => [group, [`${id}-${group}`]]));
      const plans = new Map(waveIds.map((id) => [id, planned(id, shape(id))]));
      for (const { wave, group, waits } of changes) {
        const others = [...plans.values()].filter(({ waveId }) => waveId !== wave);
        const resolved = resolve(wave, shape(wave), { [group]: waits.map((each) => ({ ...each })) }, others);
        if ('plan' in resolved) plans.set(wave, resolved.plan);
      }
      // Whoever waits for nobody that has not gone goes; if all go in the end, there was no circle.
      const gone = new Set<string>();
      const all = [...plans.values()].flatMap(({ waveId, groups }) => groups.map((each) => ({ waveId, ...each })));
      for (let round = 0; round < all.length; round++)
        for (const { waveId, id, needs } of all)
          if (
            needs.every((need) =>
              all.every(
                (each) =>
                  each.waveId !== need.waveId ||
                  (need.groupId ?? each.id) !== each.id ||
                  gone.has(`${each.waveId}/${each.id}`),
              ),
            )
          )
            gone.add(`${waveId}/${id}`);
      expect(gone.size).toBe(all.length);
    }),
  );
});
