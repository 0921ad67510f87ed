import { describe, expect, it } from 'vitest';
import { Gates } from '../../../shared/model/gate.ts';
import { dueOf, nextDue, type Standing, stagedIn } from '../../../shared/policy/decommission.ts';

const now = '2026-12-20T00:00:00.000Z';
const early = '2026-12-19T00:00:00.000Z';
const late = '2026-12-21T00:00:00.000Z';

const workload = (workloadId: string, change: Partial<Standing['state']> = {}): Standing => ({
  workloadId,
  state: {
    ...{ phase: 'committed', decommission: { dueAt: early }, points: [{} as never] },
    totals: { initialBytes: 100, deltaBytes: 20, finalBytes: 3, deltas: 2 },
    ...change,
  },
});
const all = [
  workload('a'),
  workload('b'),
  workload('c', { decommission: { dueAt: now } }),
  workload('e', { decommission: { dueAt: late } }),
  workload('f', { decommission: { dueAt: early, deletedAt: early }, points: [] }),
  workload('r', { phase: 'replicating', decommission: undefined }),
  workload('s', { phase: 'validating', decommission: { dueAt: early } }),
];

describe('who is asked about', () => {
  it('is who has committed, whose time is over, and whose points are still there', () => {
    expect(dueOf(all, now)).toEqual(['a', 'b', 'c']);
    expect(dueOf(all, '2026-12-18T00:00:00.000Z')).toEqual([]);
  });

  it('and the next day is that of the earliest of them', () => {
    expect(nextDue(all)).toBe(early);
    expect(nextDue(all.slice(3))).toBe(late);
    expect(nextDue(all.slice(4))).toBeUndefined();
  });
});

it('what is staged counts for every workload that has points, whatever became of it', () => {
  expect(stagedIn(all)).toEqual({ workloads: 6, bytesWritten: 6 * 123 });
});

it('the gate cannot be passed by silence, nor left out', () => {
  const refused = (decommission: object) =>
    Gates.safeParse({ decommission }).error?.issues.map(({ message }) => message);
  expect(refused({ required: false })).toEqual(['somebody has to say that replicated data is deleted']);
  expect(refused({ expiresAfter: 'P1D' })).toHaveLength(1);
  expect(refused({ onExpiry: 'approve' })).toHaveLength(1);
  expect(refused({ quorum: 2, partial: true, approvers: ['carl'] })).toBeUndefined();
});
