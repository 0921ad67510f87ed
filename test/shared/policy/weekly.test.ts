import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Weekly } from '../../../shared/model/weekly.ts';
import { coveredUntil, weeklyAround } from '../../../shared/policy/weekly.ts';

const hours: Weekly = { from: '08:00', until: '18:00', zone: 'Europe/Amsterdam' };

test('hours follow the clock of their zone across its changes', () => {
  expect(coveredUntil([hours], '2026-10-24T12:00:00.000Z')).toBe('2026-10-24T16:00:00.000Z');
  expect(coveredUntil([hours], '2026-10-25T12:00:00.000Z')).toBe('2026-10-25T17:00:00.000Z');
});

test('hours that end before they begin end on the next day, and belong to the day on which they begin', () => {
  const friday: Weekly = { days: ['FR'], from: '22:00', until: '06:00', zone: 'UTC' };
  expect(coveredUntil([friday], '2026-12-05T05:00:00.000Z')).toBe('2026-12-05T06:00:00.000Z');
  expect(coveredUntil([friday], '2026-12-04T05:00:00.000Z')).toBeUndefined();
});

test('hours that touch are one time without a break', () => {
  const evening: Weekly = { from: '18:00', until: '20:00', zone: 'Europe/Amsterdam' };
  expect(coveredUntil([hours, evening], '2026-12-01T09:00:00.000Z')).toBe('2026-12-01T19:00:00.000Z');
});

test('an instant is covered exactly while its wall clock shows such an hour', () => {
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', hour: '2-digit', minute: '2-digit' });
  const time = fc
    .integer({ min: 0, max: 1439 })
    .map((n) => `${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`);
  // A month without a change of the clock.
  const instant = fc
    .integer({ min: 0, max: 28 * 1440 })
    .map((n) => new Date(Date.UTC(2026, 0, 2) + n * 60_000).toISOString());
  fc.assert(
    fc.property(time, time, instant, (from, until, at) => {
      const shown = minutes(clock.format(new Date(at)));
      const inside =
        from < until
          ? shown >= minutes(from) && shown < minutes(until)
          : shown >= minutes(from) || shown < minutes(until);
      const covered = coveredUntil([{ from, until, zone: 'America/New_York' }], at);
      expect(covered !== undefined).toBe(inside);
    }),
  );
});

test('the hours around an instant are ascending and disjoint', () => {
  const around = weeklyAround(
    [hours, { from: '12:00', until: '09:00', zone: 'Asia/Tokyo' }],
    '2026-03-29T00:30:00.000Z',
  );
  for (const [index, { opens }] of around.entries())
    if (index > 0) expect(opens > (around[index - 1]?.closes ?? '')).toBe(true);
});
