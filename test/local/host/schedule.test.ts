import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { readSchedule, readTimeZone } from '../../../local/host/triggers/schedule.ts';

/** The next occurrences after a moment, as local times with their offsets. */
function occurrences(text: string, after: string, count: number, timeZone = 'UTC'): string[] {
  const { next, write } = readSchedule(text, readTimeZone(timeZone), 'Function "f"');
  const found: string[] = [];
  for (let moment = next(Date.parse(after)); found.length < count; moment = next(moment)) found.push(write(moment));
  return found;
}

test.each([
  ['six fields', '5/20 1-5/2 * * * *', ['00:01:05', '00:01:25', '00:01:45']],
  ['five fields, which begin with minutes', '*/5 * * * *', ['00:05:00', '00:10:00', '00:15:00']],
  ['a time span, which counts from the last run', '00:07:30', ['00:07:30', '00:15:00', '00:22:30']],
])('a schedule of %s', (_, text, times) => {
  expect(occurrences(text, '2026-01-01T00:00:00Z', 3).map((time) => time.slice(11, 19))).toEqual(times);
});

test('a time span of 24 hours or more counts days, as in Azure', () => {
  expect(occurrences('24:00:00', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-25T00:00:00+00:00']);
  expect(occurrences('25:00:00:00', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-26T00:00:00+00:00']);
  expect(occurrences('1.00:00:00', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-02T00:00:00+00:00']);
  expect(() => readSchedule('00:99:00', 'UTC', 'Function "f"')).toThrow(
    'Function "f": the schedule "00:99:00" must be a time span',
  );
});

test('names of months and days may be whole, short and in ranges', () => {
  const days = occurrences('0 0 9 * January,JUL Monday-Wed', '2026-01-28T10:00:00Z', 2);
  expect(days).toEqual(['2026-07-01T09:00:00+00:00', '2026-07-06T09:00:00+00:00']);
});

test('with a day of the month and one of the week, both must match', () => {
  expect(occurrences('0 0 0 13 * 5', '2026-01-01T00:00:00Z', 2)).toEqual([
    '2026-02-13T00:00:00+00:00',
    '2026-03-13T00:00:00+00:00',
  ]);
});

test.each(['0 0 0 L * *', '0 0 0 * * 5L', '0 0 0 ? * *', '0 0 0 * * 7', '0 0 0 * * 5#2'])(
  '"%s" is cron elsewhere, not NCRONTAB',
  (text) => {
    expect(() => readSchedule(text, 'UTC', 'Function "f"')).toThrow(/^Function "f": .* is not NCRONTAB/);
  },
);

describe('where summer time begins and ends', () => {
  test('a time that is left out runs that much later, a time that comes twice runs once', () => {
    expect(occurrences('0 30 2 * * *', '2026-03-28T12:00:00Z', 2, 'Europe/Berlin')).toEqual([
      '2026-03-29T03:30:00+02:00',
      '2026-03-30T02:30:00+02:00',
    ]);
    const autumn = ['2026-10-25T02:30:00+02:00', '2026-10-26T02:30:00+01:00'];
    expect(occurrences('0 30 2 * * *', '2026-10-24T12:00:00Z', 2, 'Europe/Berlin')).toEqual(autumn);
    // Also for a host that starts between the two.
    expect(occurrences('0 30 2 * * *', '2026-10-25T01:10:00Z', 1, 'Europe/Berlin')).toEqual(autumn.slice(1));
  });

  test('a time that is left out comes also to a host that starts after it', () => {
    expect(occurrences('0 30 2 * * *', '2026-03-29T01:10:00Z', 1, 'Europe/Berlin')).toEqual([
      '2026-03-29T03:30:00+02:00',
    ]);
    // Half an hour is left out, so a time in it comes after one behind it.
    expect(occurrences('0 15,30 2 * * *', '2026-10-03T15:00:00Z', 3, 'Australia/Lord_Howe')).toEqual([
      '2026-10-04T02:30:00+11:00',
      '2026-10-04T02:45:00+11:00',
      '2026-10-05T02:15:00+11:00',
    ]);
  });

  const zones = [
    'Europe/Berlin',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Africa/Casablanca',
    'UTC',
  ];
  const schedules = [
    ...['0 30 2 * * *', '0 0 0 * * *', '0 15,30 2,3 * * *', '30 59 23 31 * *', '0 45 1 * 3,4,10 0'],
    ...['0 */17 * * * *', '0 0 */3 * * *', '0 0 1-3 * * *', '*/45 * * * * *', '0 7-50/9 2 * * *'],
  ];
  const anyCase = fc.record({
    zone: fc.constantFrom(...zones),
    schedule: fc.constantFrom(...schedules),
    from: fc.date({ min: new Date('2005-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
    hours: fc.double({ min: -26, max: 26, noNaN: true }),
    part: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });

  test('an occurrence does not depend on when one asks for it: every moment before has it as its next', () => {
    fc.assert(
      fc.property(anyCase, ({ zone, schedule, from, hours, part }) => {
        const { next } = readSchedule(schedule, zone, 'Function "f"');
        const change = Temporal.Instant.fromEpochMilliseconds(from.getTime())
          .toZonedDateTimeISO(zone)
          .getTimeZoneTransition('next');
        const after = Math.round((change?.epochMilliseconds ?? from.getTime()) + hours * 3_600_000);
        const due = next(after);
        expect(due).toBeGreaterThan(after);
        expect(next(after + Math.floor((due - after) * part))).toBe(due);
      }),
      { numRuns: 500 },
    );
  });

  test('a schedule that repeats goes on evenly', () => {
    expect(occurrences('0 */30 * * * *', '2026-03-29T00:10:00Z', 3, 'Europe/Berlin')).toEqual([
      '2026-03-29T01:30:00+01:00',
      '2026-03-29T03:00:00+02:00',
      '2026-03-29T03:30:00+02:00',
    ]);
    expect(occurrences('0 */30 * * * *', '2026-10-24T23:50:00Z', 5, 'Europe/Berlin')).toEqual([
      '2026-10-25T02:00:00+02:00',
      '2026-10-25T02:30:00+02:00',
      '2026-10-25T02:00:00+01:00',
      '2026-10-25T02:30:00+01:00',
      '2026-10-25T03:00:00+01:00',
    ]);
  });
});
