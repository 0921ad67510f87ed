// Rules are held against those that RFC 5545 prints, and against ical.js where ical.js is right.
import fc from 'fast-check';
import ICAL from 'ical.js';
import { describe, expect, it } from 'vitest';
import { occurrences, parseRule } from '../../../shared/policy/recurrence.ts';

function times(text: string, start: string, most: number, from?: string): string[] {
  const parsed = parseRule(text);
  if ('fault' in parsed) throw new Error(parsed.fault);
  const bounds = from === undefined ? { until: '2200-01-01' } : { from, until: '2200-01-01' };
  const found: string[] = [];
  for (const at of occurrences(parsed.rule, start, bounds)) {
    found.push(at);
    if (found.length >= most) break;
  }
  return found;
}
const dates = (text: string, start: string, most: number) =>
  times(text, `${start}T09:00:00`, most).map((at) => at.slice(0, 10));

describe('a rule', () => {
  it.each([
    [
      'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO',
      '1997-08-05',
      ['1997-08-05', '1997-08-10', '1997-08-19', '1997-08-24'],
    ],
    [
      'FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU',
      '1997-08-05',
      ['1997-08-05', '1997-08-17', '1997-08-19', '1997-08-31'],
    ],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=1FR', '1997-09-05', ['1997-09-05', '1997-10-03', '1997-11-07']],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=-2MO', '1997-09-22', ['1997-09-22', '1997-10-20', '1997-11-17']],
    ['FREQ=MONTHLY;BYMONTHDAY=-3', '1997-09-28', ['1997-09-28', '1997-10-29', '1997-11-28', '1997-12-29']],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '1998-02-13', ['1998-02-13', '1998-03-13', '1998-11-13', '1999-08-13']],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-12-31', ['2026-12-31', '2027-01-31', '2027-03-31', '2027-05-31']],
    ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3', '1997-09-04', ['1997-09-04', '1997-10-07', '1997-11-06']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2', '1997-09-29', ['1997-09-29', '1997-10-30', '1997-11-27']],
    [
      'FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200',
      '1997-01-01',
      ['1997-01-01', '1997-04-10', '1997-07-19', '2000-01-01'],
    ],
    ['FREQ=YEARLY;BYDAY=20MO', '1997-05-19', ['1997-05-19', '1998-05-18', '1999-05-17']],
    ['FREQ=YEARLY;BYMONTH=6,7', '1997-06-10', ['1997-06-10', '1997-07-10', '1998-06-10']],
    [
      'FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8',
      '1996-11-05',
      ['1996-11-05', '2000-11-07', '2004-11-02'],
    ],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2024-02-29', ['2024-02-29', '2028-02-29', '2032-02-29']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2026-01-01', []],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31', '2026-01-01', []],
  ])('%s from %s', (rule, start, expected) => {
    expect(dates(rule, start, expected.length || 1)).toEqual(expected);
  });

  it('agrees with ical.js on rules that ical.js expands as the RFC says', () => {
    const byDay = fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 });
    const interval = fc.integer({ min: 1, max: 4 });
    const rule = fc.oneof(
      interval.map((n) => `FREQ=DAILY;INTERVAL=${n}`),
      fc
        .tuple(interval, byDay, fc.constantFrom('MO', 'SU'))
        .map(([n, on, week]) => `FREQ=WEEKLY;INTERVAL=${n};BYDAY=${on};WKST=${week}`),
      fc
        .tuple(interval, fc.integer({ min: 1, max: 28 }))
        .map(([n, day]) => `FREQ=MONTHLY;INTERVAL=${n};BYMONTHDAY=${day}`),
      fc
        .tuple(interval, fc.constantFrom(1, 2, 3, 4, -1, -2), fc.constantFrom('MO', 'SA'))
        .map(([n, nth, on]) => `FREQ=MONTHLY;INTERVAL=${n};BYDAY=${nth}${on}`),
      fc
        .tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, -1), fc.constantFrom('SU', 'WE'))
        .map(([month, nth, on]) => `FREQ=YEARLY;BYMONTH=${month};BYDAY=${nth}${on}`),
    );
    fc.assert(
      fc.property(rule, fc.integer({ min: 0, max: 20_000 }), (text, day) => {
        const start = `${new Date(day * 86_400_000).toISOString().slice(0, 10)}T22:00:00`;
        const iterator = ICAL.Recur.fromString(text).iterator(ICAL.Time.fromString(start, null));
        const theirs = Array.from({ length: 12 }, () => String(iterator.next())).filter((at) => at >= start);
        expect(times(text, start, theirs.length)).toEqual(theirs);
      }),
    );
  });

  it('comes true at the same times whether or not one begins to look later', () => {
    const rule = fc.constantFrom(
      'FREQ=DAILY;INTERVAL=3',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,MO',
      'FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=31',
      'FREQ=YEARLY;INTERVAL=3',
      'FREQ=DAILY;COUNT=400',
    );
    fc.assert(
      fc.property(rule, fc.integer({ min: 0, max: 3000 }), (text, days) => {
        const from = new Date(Date.UTC(2020, 0, 1) + days * 86_400_000).toISOString().slice(0, 10);
        const all = times(text, '2020-01-01T22:00:00', 1500).filter((at) => at.slice(0, 10) >= from);
        expect(times(text, '2020-01-01T22:00:00', 5, from)).toEqual(all.slice(0, 5));
      }),
    );
  });
});
