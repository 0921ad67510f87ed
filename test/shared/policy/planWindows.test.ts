import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../../shared/model/calendar.ts';
import type { Freeze, Opening, Window } from '../../../shared/model/window.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import { merged, without } from '../../../shared/policy/intervals.ts';
import { planWindows } from '../../../shared/policy/planWindows.ts';

const now = '2026-12-01T00:00:00.000Z';
const saturday: Window = { start: '2026-12-05T22:00', duration: 'PT4H', zone: 'Europe/Amsterdam' };
const saturdays: Window = { ...saturday, repeat: 'FREQ=WEEKLY;COUNT=8' };
const holidays: Calendar = {
  id: 'holidays',
  importedAt: now,
  importedBy: 'ada',
  until: '2030-12-01T00:00:00.000Z',
  events: [
    { event: 'Christmas', from: '2026-12-24T00:00:00', to: '2026-12-27T00:00:00' },
    { event: 'Month end', from: '2026-12-05T22:00:00.000Z', to: '2026-12-05T23:00:00.000Z' },
  ],
};
const freeze = (from: string, to: string, change: Partial<Freeze> = {}): Freeze => ({
  from,
  to,
  zone: 'Europe/Amsterdam',
  reason: 'year end',
  ...change,
});

interface Given {
  window?: Window;
  freezes?: Freeze[];
  ofEnvironment?: Freeze[];
  calendars?: Calendar[];
  named?: string[];
  at?: string;
}
const plan = ({
  window = saturday,
  freezes = [],
  ofEnvironment = [],
  calendars = [],
  named = calendars.map(({ id }) => id),
  at = now,
}: Given) =>
  planWindows(
    {
      definition: { window, freezes, calendars: named },
      environment: { id: 'west', calendars: [], freezes: ofEnvironment },
      calendars,
    },
    at,
  );
const planned = (given: Given) => {
  const result = plan(given);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
};
const problem = (given: Given) => {
  const result = plan(given);
  if ('windows' in result) throw new Error('it was planned');
  return result.problems[0]!;
};
const short = ({ opens, closes }: Opening) => `${opens.slice(5, 16)} ${closes.slice(5, 16)}`;

describe('the windows of a plan', () => {
  it('are those of the definition if nothing forbids them', () => {
    expect(planned({})).toEqual({
      windows: [{ opens: '2026-12-05T21:00:00.000Z', closes: '2026-12-06T01:00:00.000Z' }],
      blackouts: [],
    });
    expect(planned({ window: saturdays, at: '2026-12-13T00:59:00.000Z' }).windows).toHaveLength(7);
    expect(planned({ window: saturdays, at: '2026-12-13T01:00:00.000Z' }).windows).toHaveLength(6);
  });

  it('have the events of calendars and freezes cut out, which are named', () => {
    const { windows, blackouts } = planned({
      window: saturdays,
      calendars: [holidays],
      ofEnvironment: [freeze('2026-12-31T00:00', '2027-01-03T00:30')],
    });
    expect(windows.map(short).slice(0, 6)).toEqual([
      '12-05T21:00 12-05T22:00',
      '12-05T23:00 12-06T01:00',
      '12-12T21:00 12-13T01:00',
      '12-19T21:00 12-20T01:00',
      '12-26T23:00 12-27T01:00',
      '01-02T23:30 01-03T01:00',
    ]);
    expect(blackouts.map(({ by }) => by)).toEqual([
      'calendar "holidays": Month end',
      'calendar "holidays": Christmas',
      'freeze of environment "west": year end',
    ]);
  });

  it('leave out both of two equal hours in which a freeze begins and ends', () => {
    const window = { ...saturday, start: '2026-10-25T00:00', duration: 'PT6H' };
    const { windows } = planned({
      window,
      freezes: [freeze('2026-10-25T02:00', '2026-10-25T02:30')],
      at: '2026-10-01T00:00:00.000Z',
    });
    expect(windows.map(short)).toEqual(['10-24T22:00 10-25T00:00', '10-25T01:30 10-25T04:00']);
  });

  it('that are forbidden as a whole are told, with by whom and when there is room', () => {
    expect(problem({ freezes: [freeze('2026-12-01T00:00', '2026-12-08T23:00')] })).toEqual({
      path: 'window.start',
      value: '2026-12-05T22:00',
      message: 'nothing of the window is left: freeze: year end',
      fix: 'the next day with room for PT4H at this time starts at 2026-12-09T22:00 (Europe/Amsterdam)',
    });
    const christmas = problem({ window: { ...saturday, start: '2026-12-25T10:00' }, calendars: [holidays] });
    expect(christmas.message).toContain('calendar "holidays": Christmas');
    expect(christmas.fix).toContain('2026-12-27T10:00');
    expect(problem({ freezes: [freeze('2026-12-01T00:00', '2036-12-08T23:00')] }).fix).toContain(
      'no day of the next 400',
    );
  });

  it('need calendars that exist and reach so far, and freezes that make sense', () => {
    expect(problem({ named: ['holidays'] })).toMatchObject({
      path: 'calendars[0]',
      value: 'holidays',
      message: 'there is no calendar "holidays"',
    });
    expect(problem({ calendars: [{ ...holidays, until: '2026-12-06T00:59:59.000Z' }] })).toMatchObject({
      path: 'calendars[0]',
      fix: expect.stringContaining('import it again'),
    });
    expect(problem({ freezes: [freeze('2026-12-02T00:00', '2026-12-01T00:00')] })).toMatchObject({
      path: 'freezes[0].to',
    });
    expect(problem({ freezes: [freeze('2026-12-01T00:00', '2026-13-01T00:00')] })).toMatchObject({
      path: 'freezes[0].to',
    });
    expect(
      problem({ ofEnvironment: [freeze('2026-12-01T00:00', '2026-12-02T00:00', { zone: 'Mars' })] }),
    ).toMatchObject({ path: 'environment.freezes[0].zone' });
  });
});

describe('periods', () => {
  const instant = fc.integer({ min: 0, max: 400 }).map((hours) => plusMs(now, hours * 3_600_000));
  const period = fc
    .tuple(instant, fc.integer({ min: 1, max: 40 }))
    .map(([opens, hours]) => ({ opens, closes: plusMs(opens, hours * 3_600_000) }));
  const hours = (periods: readonly Opening[]) => {
    const covered = new Set<number>();
    for (const { opens, closes } of periods)
      for (let at = Date.parse(opens); at < Date.parse(closes); at += 3_600_000) covered.add(at);
    return covered;
  };

  it('without others are what is in the first and in none of the others: ascending, disjoint, nothing more, nothing less', () => {
    fc.assert(
      fc.property(fc.array(period, { maxLength: 12 }), fc.array(period, { maxLength: 12 }), (windows, blackouts) => {
        const left = without(merged(windows), blackouts);
        expect(hours(left)).toEqual(new Set([...hours(windows)].filter((hour) => !hours(blackouts).has(hour))));
        for (const [index, { opens, closes }] of left.entries()) {
          expect(opens < closes).toBe(true);
          expect(left[index - 1] === undefined || left[index - 1]!.closes < opens).toBe(true);
        }
      }),
    );
  });

  it('of a plan never overlap a freeze, whatever the zone and the clocks', () => {
    const zone = fc.constantFrom('Europe/Amsterdam', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia');
    const wall = fc
      .integer({ min: 0, max: 365 * 48 })
      .map((half) => plusMs('2011-06-01T00:00:00.000Z', half * 1_800_000).slice(0, 16));
    fc.assert(
      fc.property(
        zone,
        wall,
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(wall, wall), { maxLength: 6 }),
        (place, start, length, edges) => {
          const window = { start, duration: `PT${length}H`, zone: place, repeat: 'FREQ=DAILY;COUNT=60' };
          const freezes = edges
            .filter(([from, to]) => from < to)
            .map(([from, to]) => freeze(from, to, { zone: place }));
          const result = plan({ window, freezes, at: '2011-01-01T00:00:00.000Z' });
          if ('problems' in result) {
            expect(freezes.length).toBeGreaterThan(0);
            return;
          }
          const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: place, dateStyle: 'short', timeStyle: 'short' });
          const shown = (at: string, ms: number) => clock.format(Date.parse(at) + ms).replace(' ', 'T');
          // A window that lies before a freeze has closed when the clock first shows its beginning.
          for (const { opens, closes } of result.windows)
            for (const { from, to } of freezes)
              expect(shown(closes, -60_000) < from || shown(opens, 0) >= to).toBe(true);
        },
      ),
    );
  });
});
