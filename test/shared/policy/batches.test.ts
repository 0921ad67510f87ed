import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ControlSignal } from '../../../shared/model/control.ts';
import {
  type Member,
  nextBatch,
  standingTurns,
  type Turn,
  whyNot,
  withDependents,
  withNeeds,
} from '../../../shared/policy/batches.ts';

/** Up to eight members, each depending on earlier ones only. */
const members: fc.Arbitrary<Member[]> = fc
  .array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 })
  .map((needs) =>
    needs.map((each, index) => ({
      workloadId: `w${index}`,
      dependsOn: [...new Set(each.filter((other) => other < index).map((other) => `w${other}`))],
    })),
  );
const turnsOf = fc.array(fc.constantFrom<Turn | undefined>('rush', 'defer', undefined), { minLength: 8, maxLength: 8 });

it('batch after batch everybody has a turn, nobody before what it depends on, whatever is rushed, deferred or not approved', () => {
  fc.assert(
    fc.property(members, turnsOf, fc.subarray(['w0', 'w1', 'w2', 'w3', 'w4']), (group, given, notApproved) => {
      const turns = new Map(
        given.flatMap((turn, index) => (turn === undefined ? [] : [[`w${index}`, { action: turn }] as const])),
      );
      const done = new Set<string>();
      for (let batches = 0; done.size < group.length; batches++) {
        expect(batches).toBeLessThan(4);
        const waiting = group.filter(({ workloadId }) => !done.has(workloadId));
        const batch = nextBatch(waiting, turns, new Set(notApproved));
        expect(batch?.workloadIds.length).toBeGreaterThan(0);
        const going = new Set([...done, ...(batch?.workloadIds ?? [])]);
        for (const { workloadId, dependsOn } of group)
          if (going.has(workloadId)) expect(dependsOn.every((other) => going.has(other))).toBe(true);
        for (const id of batch?.workloadIds ?? []) done.add(id);
      }
      expect(nextBatch([], turns, new Set())).toBeUndefined();
    }),
  );
});

describe('of app, of web that needs app, and of job', () => {
  const group = [
    { workloadId: 'app', dependsOn: [] },
    { workloadId: 'web', dependsOn: ['app'] },
    { workloadId: 'job', dependsOn: [] },
  ];
  const next = (turns: Record<string, Turn>, aside: string[] = []) =>
    nextBatch(group, new Map(Object.entries(turns).map(([id, action]) => [id, { action }])), new Set(aside));

  it('all are one batch by default', () => {
    expect(next({})).toEqual({ workloadIds: ['app', 'web', 'job'], kind: 'all' });
  });
  it('who is rushed goes first and takes along what it depends on', () => {
    expect(next({ web: 'rush' })).toEqual({ workloadIds: ['app', 'web'], kind: 'first' });
  });
  it('who is deferred comes last, with those that depend on it', () => {
    expect(next({ app: 'defer' })).toEqual({ workloadIds: ['job'], kind: 'all' });
    expect(next({ app: 'defer', job: 'defer' })).toEqual({ workloadIds: ['app', 'web', 'job'], kind: 'later' });
  });
  it('who was not approved is not rushed either', () => {
    expect(next({ web: 'rush' }, ['app'])).toEqual({ workloadIds: ['job'], kind: 'all' });
  });
  it('a refusal names who stands against it, and the way out', () => {
    expect(whyNot('defer', 'app', group, new Map())).toBe('web would stay and depends on app: defer that first.');
    expect(whyNot('defer', 'app', group, new Map([['web', { action: 'defer' }]]))).toBeUndefined();
    expect(whyNot('defer', 'web', group, new Map())).toBeUndefined();
    expect(whyNot('rush', 'web', group, new Map([['app', { action: 'defer' }]]))).toBe(
      'web depends on app, which is deferred: rush that first.',
    );
    expect(whyNot('rush', 'web', group, new Map())).toBeUndefined();
  });
  it('needs and dependents are followed near and far', () => {
    const chain = ['a', 'b', 'c'].map((workloadId, index) => ({
      workloadId,
      dependsOn: index === 0 ? [] : ['ab'[index - 1] ?? ''],
    }));
    expect([...withNeeds(chain, new Set(['c']))]).toEqual(['c', 'b', 'a']);
    expect([...withDependents(chain, new Set(['a']))]).toEqual(['a', 'b', 'c']);
  });
});

it('of orders to rush and to defer the latest counts, in whatever order they arrive', () => {
  const order = (action: Turn, at: string): ControlSignal => ({
    action,
    workloadIds: ['app'],
    by: 'ada',
    reason: 'r',
    id: at,
    at,
  });
  const orders = [order('defer', '2026-12-01T10:00:00.000Z'), order('rush', '2026-12-01T11:00:00.000Z')];
  const standing = new Map([['app', { action: 'rush', at: '2026-12-01T11:00:00.000Z' }]]);
  expect(standingTurns(orders)).toEqual(standing);
  expect(standingTurns(orders.toReversed())).toEqual(standing);
});
