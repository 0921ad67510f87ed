import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../../shared/model/window.ts';
import { durationMs, plusMs } from '../../../shared/policy/duration.ts';
import { resolveWindow } from '../../../shared/policy/window.ts';

const openings = (window: Window) => {
  const resolved = resolveWindow(window);
  if ('problem' in resolved) throw new Error(resolved.problem.message);
  return resolved.openings;
};
const opened = (start: string, zone: string, duration = 'PT4H') => openings({ start, duration, zone })[0]!;
const starts = (start: string, zone: string, repeat: string, duration = 'PT1H') =>
  openings({ start, duration, zone, repeat }).map(({ opens }) => opens.slice(0, 16));

describe('a window', () => {
  it('is wall-clock time in its zone, summer and winter', () => {
    expect(opened('2026-12-05T22:00', 'Europe/Amsterdam')).toEqual({
      opens: '2026-12-05T21:00:00.000Z',
      closes: '2026-12-06T01:00:00.000Z',
    });
    expect(opened('2026-07-05T22:00:30', 'Europe/Amsterdam').opens).toBe('2026-07-05T20:00:30.000Z');
    expect(opened('2026-12-05T22:00', 'UTC').opens).toBe('2026-12-05T22:00:00.000Z');
  });

  it.each([
    ['Europe/Amsterdam', '2026-03-29T02:30', '2026-03-29T01:30:00.000Z'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:45:00.000Z'],
    ['Pacific/Apia', '2011-12-30T22:00', '2011-12-31T08:00:00.000Z'],
  ])('in %s moves a start that a clock change skips forward by the gap', (zone, start, opens) => {
    expect(opened(start, zone).opens).toBe(opens);
  });

  it.each([
    ['Europe/Amsterdam', '2026-10-25T02:30', '2026-10-25T00:30:00.000Z'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00.000Z'],
  ])('in %s takes the first of two equal starts', (zone, start, opens) => {
    expect(opened(start, zone).opens).toBe(opens);
  });

  it('is as long as it says, also across a clock change', () => {
    const window = opened('2026-10-24T22:00', 'Europe/Amsterdam', 'PT8H');
    expect(Date.parse(window.closes) - Date.parse(window.opens)).toBe(durationMs('PT8H'));
  });

  it.each([
    ['2026-12-05T22:00', 'Europe/Amsterdm', 'zone'],
    ['2026-12-05T22:00', '+01:00', 'zone'],
    ['2026-02-30T22:00', 'UTC', 'start'],
    ['2026-12-05T25:00', 'UTC', 'start'],
  ])('that starts %s in %s is refused for its %s', (start, zone, field) => {
    expect(resolveWindow({ start, duration: 'PT1H', zone })).toMatchObject({ problem: { field } });
  });

  it('of no length is refused', () => {
    expect(resolveWindow({ start: '2026-12-05T22:00', duration: 'PT0S', zone: 'UTC' })).toMatchObject({
      problem: { field: 'duration' },
    });
  });
});

describe('a window that comes again', () => {
  it('keeps its wall-clock time when clocks change', () => {
    expect(starts('2026-10-17T22:00', 'Europe/Amsterdam', 'FREQ=WEEKLY;BYDAY=SA;COUNT=3')).toEqual([
      '2026-10-17T20:00',
      '2026-10-24T20:00',
      '2026-10-31T21:00',
    ]);
    expect(starts('2026-10-03T23:00', 'Australia/Lord_Howe', 'FREQ=DAILY;COUNT=2')).toEqual([
      '2026-10-03T12:30',
      '2026-10-04T12:00',
    ]);
  });

  it('is one night longer open where two of its nights become one', () => {
    expect(
      openings({ start: '2011-12-29T22:00', duration: 'PT1H', zone: 'Pacific/Apia', repeat: 'FREQ=DAILY;COUNT=3' }),
    ).toEqual([
      { opens: '2011-12-30T08:00:00.000Z', closes: '2011-12-30T09:00:00.000Z' },
      { opens: '2011-12-31T08:00:00.000Z', closes: '2011-12-31T09:00:00.000Z' },
    ]);
  });

  it('is one opening where it opens again before it has closed', () => {
    expect(
      openings({ start: '2026-12-05T22:00', duration: 'PT30H', zone: 'UTC', repeat: 'FREQ=DAILY;COUNT=3' }),
    ).toEqual([{ opens: '2026-12-05T22:00:00.000Z', closes: '2026-12-09T04:00:00.000Z' }]);
  });

  it('ends with UNTIL, a day, a wall-clock time or an instant, which is included', () => {
    const until = (text: string) => starts('2026-12-05T22:00', 'Europe/Amsterdam', `FREQ=WEEKLY;UNTIL=${text}`).length;
    expect(
      ['20261211', '20261212', '20261212T220000', '20261212T215959', '20261212T210000Z', '20261212T205959Z'].map(until),
    ).toEqual([1, 2, 2, 1, 2, 1]);
  });

  it.each([
    ['FREQ=WEEKLY;BYDAY=SA', 'never ends', 'COUNT'],
    ['FREQ=WEEKLY;BYDAY=SU;COUNT=2', 'no time of its rule', 'start at 2026-12-06T22:00'],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=2', 'no time of its rule', 'nothing fits it'],
    ['FREQ=DAILY;COUNT=101', 'more than 100 times', 'smaller COUNT'],
    ['FREQ=YEARLY;COUNT=9', 'later than 3 years', 'smaller COUNT'],
    ['FREQ=MONTHLY;BYDAY=SA;UNTIL=29991231', 'later than 3 years', 'earlier UNTIL'],
    ['FREQ=HOURLY;COUNT=2', 'FREQ is HOURLY', 'FREQ=WEEKLY'],
    ['FREQ=WEEKLY;BYHOUR=3;COUNT=2', 'BYHOUR is not supported', 'FREQ=WEEKLY'],
    ['FREQ=WEEKLY;INTERVAL=0;COUNT=2', 'INTERVAL is 0', 'FREQ=WEEKLY'],
    ['FREQ=WEEKLY;BYDAY=1SA;COUNT=2', 'numbered BYDAY', 'FREQ=WEEKLY'],
    ['FREQ=WEEKLY;COUNT=2;UNTIL=20270101', 'exclude each other', 'FREQ=WEEKLY'],
    ['every Saturday', 'is no part', 'FREQ=WEEKLY'],
  ])('by %s is refused, with a way out', (repeat, message, fix) => {
    const refused = resolveWindow({ start: '2026-12-05T22:00', duration: 'PT4H', zone: 'UTC', repeat });
    expect(refused).toMatchObject({
      problem: { field: 'repeat', message: expect.stringContaining(message), fix: expect.stringContaining(fix) },
    });
  });

  it('opens at the same wall-clock time every day, in every zone', () => {
    const zones = ['Europe/Amsterdam', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 0, max: 1439 }),
        (zone, day, minute) => {
          const start = plusMs('2025-01-01T00:00:00.000Z', day * 86_400_000 + minute * 60_000).slice(0, 16);
          const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, timeStyle: 'short', dateStyle: 'short' });
          const found = openings({ start, duration: 'PT1M', zone, repeat: 'FREQ=DAILY;COUNT=60' });
          expect(found).toHaveLength(60);
          const others = found
            .map(({ opens }) => clock.format(new Date(opens)).slice(11))
            .filter((time) => time !== start.slice(11));
          // At most one clock change that skips it lies within sixty days.
          expect(others.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
