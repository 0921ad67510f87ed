// When deltas start: at a fixed pace, by the clock, without a pause, or as the source changes; never into a blackout.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncRegion, SyncRun } from '../../../shared/lifecycle/state.ts';
import { Cadence } from '../../../shared/model/cadence.ts';
import type { Weekly } from '../../../shared/model/weekly.ts';
import { deltaDue, gapMs, nextDeltaAt, type Replicating } from '../../../shared/policy/cadence.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import { ratesOf } from '../../../shared/policy/fit/rates.ts';

const at = '2026-12-01T10:00:00.000Z';
const idle: SyncRegion = { status: 'idle', attempt: 0 };
const point = {
  ...{ syncId: 's', kind: 'initial' as const, startedAt: at, completedAt: at, root: 'r', disks: [] },
  consistency: 'none' as const,
};
const minute = 60_000;
const disks = [{ id: 'os', path: '/os', sizeBytes: 2 ** 30, boot: true }];

type Sync = Replicating['plan']['settings']['sync'];
function replicating(sync: Partial<Sync>, state: Partial<Replicating['state']> = {}) {
  return {
    plan: { source: { disks }, settings: { sync: { cadence: 'PT15M', blackouts: [], ...sync } as Sync } },
    state: { phase: 'replicating' as const, points: [point], sync: idle, syncRuns: [], ...state },
  };
}
const next = (...of: Parameters<typeof replicating>) => nextDeltaAt(replicating(...of));

describe('a delta', () => {
  it('is due a cadence after the end of the last sync, not before', () => {
    const workload = replicating({});
    expect(deltaDue(workload, plusMs(at, 15 * minute))).toBe(true);
    expect(deltaDue(workload, plusMs(at, 15 * minute - 1))).toBe(false);
  });

  it('waits a cadence after a failure too', () => {
    const lastFailure = { syncId: 's', code: 'c', message: 'm', suggestion: '', at: plusMs(at, minute) };
    expect(next({}, { sync: { ...idle, lastFailure } })).toBe(plusMs(at, 16 * minute));
  });

  it('is never due before the first point, in other phases, or beside another sync', () => {
    const late = plusMs(at, 86_400_000);
    expect(deltaDue(replicating({}, { points: [] }), late)).toBe(false);
    for (const phase of ['preparing', 'stoppingServices', 'committed', 'attention'] as const)
      expect(deltaDue({ ...replicating({}), state: { ...replicating({}).state, phase } }, late)).toBe(false);
    for (const status of ['queued', 'running', 'stalled', 'paused'] as const)
      expect(deltaDue(replicating({}, { sync: { ...idle, status } }), late)).toBe(false);
  });

  it('follows at once where replication is continuous', () => {
    expect(next({ cadence: 'continuous' })).toBe(at);
  });

  it('comes by the clock of a zone, whose hours daylight saving moves', () => {
    const cadence = { cron: '0 2 * * *', zone: 'Europe/Amsterdam' };
    expect(next({ cadence })).toBe('2026-12-02T01:00:00.000Z');
    const summer = { ...point, completedAt: '2026-07-01T10:00:00.000Z' };
    expect(next({ cadence }, { points: [summer] })).toBe('2026-07-02T00:00:00.000Z');
  });
});

describe('an adaptive cadence', () => {
  const cadence = { adaptive: { catchUp: 'PT1M', atLeast: 'PT5M', atMost: 'PT4H' } };
  const run = (changedBytes: number): SyncRun => ({
    ...{ kind: 'delta', seconds: 10, readBytes: 2 ** 30, changedBytes, sinceSeconds: 1000 },
  });
  const gap = (changedBytes: number) =>
    gapMs(
      replicating({ cadence }).plan.settings.sync,
      ratesOf([run(changedBytes), run(changedBytes), run(changedBytes)], 2 ** 30),
      at,
    );

  it('comes so often that no delta has more to carry than it may take', () => {
    // A hundredth of what is carried in a second changes in one: in 100 minutes so much as takes one minute.
    expect(gap(10_000_000)).toBe(100 * minute);
  });

  it('stays within its bounds, whatever changes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (bytes) => {
        const milliseconds = gap(bytes);
        expect(milliseconds).toBeGreaterThanOrEqual(5 * minute);
        expect(milliseconds).toBeLessThanOrEqual(240 * minute);
      }),
    );
  });
});

describe('near a window', () => {
  const sync = { cadence: 'PT6H', tighten: { within: 'PT2H', cadence: 'PT10M' } } as const;
  const opens = '2026-12-01T14:00:00.000Z';
  const windows = [{ opens, closes: '2026-12-01T18:00:00.000Z' }];
  const nextAfter = (completedAt: string) =>
    nextDeltaAt(replicating(sync, { points: [{ ...point, completedAt }] }), windows);

  it('deltas come sooner: the first one as the time begins, then at the closer pace', () => {
    expect(nextAfter(at)).toBe('2026-12-01T12:00:00.000Z');
    expect(nextAfter('2026-12-01T12:30:00.000Z')).toBe('2026-12-01T12:40:00.000Z');
    expect(nextAfter('2026-12-01T15:00:00.000Z')).toBe('2026-12-01T15:10:00.000Z');
  });

  it('and after the last window at the usual one again', () => {
    expect(nextAfter('2026-12-01T19:00:00.000Z')).toBe('2026-12-02T01:00:00.000Z');
  });
});

describe('a blackout', () => {
  const office: Weekly = {
    days: ['MO', 'TU', 'WE', 'TH', 'FR'],
    from: '08:00',
    until: '18:00',
    zone: 'Europe/Amsterdam',
  };

  it('moves a delta to its end', () => {
    expect(next({ blackouts: [office] })).toBe('2026-12-01T17:00:00.000Z');
    expect(deltaDue(replicating({ blackouts: [office] }), '2026-12-01T16:59:59.000Z')).toBe(false);
    expect(deltaDue(replicating({ blackouts: [office] }), '2026-12-01T17:00:00.000Z')).toBe(true);
  });

  it('keeps a delta waiting that was due before it began', () => {
    const night: Weekly = { from: '22:00', until: '06:00', zone: 'UTC' };
    expect(deltaDue(replicating({ blackouts: [night] }), '2026-12-03T23:00:00.000Z')).toBe(false);
    expect(deltaDue(replicating({ blackouts: [night] }), '2026-12-04T05:59:00.000Z')).toBe(false);
    expect(deltaDue(replicating({ blackouts: [night] }), '2026-12-04T06:00:00.000Z')).toBe(true);
  });

  it('leaves other days alone', () => {
    const saturday = { ...point, completedAt: '2026-12-05T10:00:00.000Z' };
    expect(next({ blackouts: [office] }, { points: [saturday] })).toBe('2026-12-05T10:15:00.000Z');
  });
});

describe('a cadence as written', () => {
  const problem = (value: unknown) => Cadence.safeParse(value).error?.issues[0]?.message;

  it('is a duration, continuous, a cron pattern in a zone, or adaptive', () => {
    for (const good of ['PT15M', 'continuous', { cron: '*/20 6-20 * * 1-5', zone: 'Asia/Kolkata' }])
      expect(problem(good)).toBeUndefined();
  });

  it('says what would do where it is none', () => {
    expect(problem('hourly')).toContain('an ISO 8601 duration such as PT45M');
    expect(problem({ cron: '0 0 30 2 *', zone: 'UTC' })).toContain('five fields that come to pass');
    expect(problem({ cron: '0 0 * * *', zone: '+01:00' })).toContain('an IANA time zone');
    expect(problem({ cron: '0 0 * * * *', zone: 'UTC' })).toContain('five fields');
    expect(problem(15)).toContain('"continuous", a duration');
  });
});
