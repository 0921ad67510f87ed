import { describe, expect, it } from 'vitest';
import { expandCalendar } from '../../../../shared/policy/calendar/expand.ts';
import { CalendarFault } from '../../../../shared/policy/calendar/read.ts';

const from = '2026-11-01T00:00:00.000Z';
const until = '2028-11-01T00:00:00.000Z';
const text = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:a', 'SUMMARY:Freeze', ...lines, 'END:VEVENT'];
const expand = (...lines: string[]) => expandCalendar(text(...lines), from, until);
const spans = (...lines: string[]) => expand(...event(...lines)).map((one) => `${one.from} ${one.to}`);
const starts = (...lines: string[]) => expand(...lines).map((one) => one.from);
function fault(...lines: string[]): CalendarFault {
  try {
    expand(...lines);
  } catch (error) {
    if (error instanceof CalendarFault) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const outlook = [
  'BEGIN:VTIMEZONE',
  'TZID:W. Europe Standard Time',
  ...[
    'BEGIN:STANDARD',
    'DTSTART:16010101T030000',
    'TZOFFSETFROM:+0200',
    'TZOFFSETTO:+0100',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
    'END:STANDARD',
  ],
  ...[
    'BEGIN:DAYLIGHT',
    'DTSTART:16010101T020000',
    'TZOFFSETFROM:+0100',
    'TZOFFSETTO:+0200',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
    'END:DAYLIGHT',
  ],
  'END:VTIMEZONE',
];

describe('an event of a calendar takes', () => {
  it('its whole day, in no zone, if it has dates only', () => {
    expect(spans('DTSTART;VALUE=DATE:20261225')).toEqual(['2026-12-25T00:00:00 2026-12-26T00:00:00']);
    expect(spans('DTSTART;VALUE=DATE:20261224', 'DTEND;VALUE=DATE:20270102')).toEqual([
      '2026-12-24T00:00:00 2027-01-02T00:00:00',
    ]);
  });

  it('instants if it is in UTC, in a place, or in a zone that the calendar brings along', () => {
    const times = (zone: string) => [`DTSTART${zone}:20261224T180000`, `DTEND${zone}:20261226T060000`];
    const cet = ['2026-12-24T17:00:00.000Z 2026-12-26T05:00:00.000Z'];
    expect(spans('DTSTART:20261224T170000Z', 'DTEND:20261226T050000Z')).toEqual(cet);
    expect(spans(...times(';TZID=Europe/Amsterdam'))).toEqual(cet);
    const [own] = expand(...outlook, ...event(...times(';TZID=W. Europe Standard Time')));
    expect(`${own?.from} ${own?.to}`).toBe(cet[0]);
    expect(spans('DTSTART:20261224T180000', 'DURATION:PT2H')).toEqual(['2026-12-24T18:00:00 2026-12-24T20:00:00']);
  });

  it('the same wall-clock time whenever it comes again, whoever says what the zone does', () => {
    const weekly = (zone: string) =>
      event(`DTSTART;TZID=${zone}:20270314T023000`, 'DURATION:PT1H', 'RRULE:FREQ=WEEKLY;COUNT=4');
    // On 28 March 02:30 does not exist: what is kept free begins no later than it may mean.
    const expected = ['2027-03-14T01:30', '2027-03-21T01:30', '2027-03-28T00:30', '2027-04-04T00:30'];
    expect(starts(...weekly('Europe/Amsterdam')).map((at) => at.slice(0, 16))).toEqual(expected);
    expect(starts(...outlook, ...weekly('W. Europe Standard Time')).map((at) => at.slice(0, 16))).toEqual(expected);
  });

  it('both of two equal hours', () => {
    const night = (zone: string) => event(`DTSTART;TZID=${zone}:20271031T020000`, 'DURATION:PT30M');
    const expected = { event: 'Freeze', from: '2027-10-31T00:00:00.000Z', to: '2027-10-31T01:30:00.000Z' };
    expect(expand(...night('Europe/Amsterdam'))).toEqual([expected]);
    expect(expand(...outlook, ...night('W. Europe Standard Time'))).toEqual([expected]);
  });

  it('no time if it is cancelled, free, empty, or over', () => {
    const day = 'DTSTART;VALUE=DATE:20261225';
    expect(spans(day, 'STATUS:CANCELLED')).toEqual([]);
    expect(spans(day, 'TRANSP:TRANSPARENT')).toEqual([]);
    expect(spans('DTSTART:20261225T000000Z')).toEqual([]);
    expect(spans('DTSTART;VALUE=DATE:20251225')).toEqual([]);
  });

  it('what it still takes if it began before', () => {
    expect(spans('DTSTART;VALUE=DATE:20261001', 'DTEND;VALUE=DATE:20261201')).toEqual([
      '2026-10-01T00:00:00 2026-12-01T00:00:00',
    ]);
    expect(
      spans('DTSTART;VALUE=DATE:20200601', 'DURATION:P180D', 'RRULE:FREQ=YEARLY').map((span) => span.slice(0, 10)),
    ).toEqual(['2026-06-01', '2027-06-01', '2028-06-01']);
  });

  it('what recurs, without its exceptions, and with what was moved', () => {
    const series = [
      'DTSTART;TZID=Europe/Amsterdam:20261107T220000',
      'DURATION:PT4H',
      'RRULE:FREQ=WEEKLY;UNTIL=20261205T210000Z',
    ];
    const days = (...lines: string[]) => starts(...lines).map((at) => at.slice(5, 16));
    expect(days(...event(...series))).toEqual([
      '11-07T21:00',
      '11-14T21:00',
      '11-21T21:00',
      '11-28T21:00',
      '12-05T21:00',
    ]);
    expect(
      days(
        ...event(...series, 'EXDATE;TZID=Europe/Amsterdam:20261114T220000,20261121T220000', 'EXDATE:20261128T210000Z'),
      ),
    ).toEqual(['11-07T21:00', '12-05T21:00']);
    expect(days(...event(...series, 'EXDATE;VALUE=DATE:20261114'))).not.toContain('11-14T21:00');
    expect(days(...event(...series, 'RDATE;TZID=Europe/Amsterdam:20261224T220000'))).toContain('12-24T21:00');
    const moved = event(
      'RECURRENCE-ID;TZID=Europe/Amsterdam:20261114T220000',
      'DTSTART;TZID=Europe/Amsterdam:20261115T080000',
      'DURATION:PT1H',
    );
    expect(days(...event(...series), ...moved)).toEqual([
      '11-07T21:00',
      '11-15T07:00',
      '11-21T21:00',
      '11-28T21:00',
      '12-05T21:00',
    ]);
    const gone = event(
      'RECURRENCE-ID:20261114T210000Z',
      'DTSTART;TZID=Europe/Amsterdam:20261114T220000',
      'DURATION:PT1H',
      'STATUS:CANCELLED',
    );
    expect(days(...event(...series), ...gone)).toEqual(['11-07T21:00', '11-21T21:00', '11-28T21:00', '12-05T21:00']);
    const yearly = event('DTSTART;VALUE=DATE:20001225', 'RRULE:FREQ=YEARLY', 'EXDATE;VALUE=DATE:20271225');
    expect(starts(...yearly)).toEqual(['2026-12-25T00:00:00']);
  });
});

describe('a calendar is refused, with the event and a way out, that', () => {
  const day = 'DTSTART;VALUE=DATE:20261225';
  it.each([
    [
      'is in a zone that nobody knows',
      ['DTSTART;TZID=Mars/Olympus:20261225T000000', 'DURATION:PT1H'],
      'VEVENT "Freeze" DTSTART',
      'no IANA time zone',
    ],
    ['begins on no day', ['DTSTART;VALUE=DATE:20260230'], 'VEVENT "Freeze" DTSTART', 'no date'],
    ['never begins', ['DURATION:PT1H'], 'VEVENT "Freeze" DTSTART', 'missing'],
    ['ends before it begins', [day, 'DTEND;VALUE=DATE:20261224'], 'VEVENT "Freeze" DTEND', 'before DTSTART'],
    ['mixes days and times', [day, 'DTEND:20261226T000000Z'], 'VEVENT "Freeze" DTEND', 'another kind'],
    ['lasts nobody knows how long', [day, 'DURATION:soon'], 'VEVENT "Freeze" DURATION', 'no duration'],
    ['recurs hourly', [day, 'RRULE:FREQ=HOURLY'], 'VEVENT "Freeze" RRULE', 'FREQ is HOURLY'],
    ['recurs at hours of its own', [day, 'RRULE:FREQ=DAILY;BYHOUR=3'], 'VEVENT "Freeze" RRULE', 'BYHOUR'],
    [
      'counts from long ago',
      ['DTSTART;VALUE=DATE:20001225', 'RRULE:FREQ=DAILY;COUNT=9999'],
      'VEVENT "Freeze" RRULE',
      'five years',
    ],
    [
      'has two rules',
      [day, 'RRULE:FREQ=YEARLY', 'RRULE:FREQ=DAILY;COUNT=2'],
      'VEVENT "Freeze" RRULE',
      'not the only rule',
    ],
    [
      'never ends to overlap itself',
      [day, 'DURATION:P400D', 'RRULE:FREQ=YEARLY'],
      'VEVENT "Freeze" RRULE',
      'longer than a year',
    ],
    [
      'changes all that follows',
      [day, 'RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20261225'],
      'VEVENT "Freeze" RECURRENCE-ID',
      'not supported',
    ],
  ])('%s', (_what, lines, path, message) => {
    expect(fault(...event(...lines))).toMatchObject({
      path,
      message: expect.stringContaining(message),
      fix: expect.stringMatching(/./),
    });
  });

  it('is none, or several, or too large, too deep, or comes too often', () => {
    const broken = (content: string) => () => expandCalendar(content, from, until);
    for (const content of [
      '',
      'hello',
      'BEGIN:VCALENDAR\r\n',
      text() + text(),
      'BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n',
    ])
      expect(broken(content)).toThrow(/not one iCalendar object/);
    expect(broken(text(...Array.from({ length: 1001 }, () => event(day)).flat()))).toThrow(/more than 1000 events/);
    expect(broken('BEGIN:A\r\n'.repeat(1000))).toThrow(/nested deeper/);
    expect(broken(text('X:1\r\n'.repeat(60_000)))).toThrow(/more than 50000 lines/);
    expect(broken(text(`X:${'1'.repeat(20_000)}`))).toThrow(/longer than/);
    const daily = event(day, 'RRULE:FREQ=DAILY');
    expect(broken(text(...Array.from({ length: 8 }, () => daily).flat()))).toThrow(/more than 5000 times/);
  });

  it('has a zone whose clock changes at every turn', () => {
    const event1 = event('DTSTART;TZID=Restless:20270101T000000', 'DURATION:PT1H');
    const zone = (...lines: string[]) => [
      ...[
        'BEGIN:VTIMEZONE',
        'TZID:Restless',
        'BEGIN:STANDARD',
        'DTSTART:19700101T000000',
        'TZOFFSETFROM:+0200',
        'TZOFFSETTO:+0100',
      ],
      ...[...lines, 'END:STANDARD', 'END:VTIMEZONE'],
    ];
    expect(fault(...zone('RRULE:FREQ=DAILY'), ...event1)).toMatchObject({ path: 'VTIMEZONE "Restless" RRULE' });
    expect(fault(...zone('RRULE:FREQ=YEARLY;BYDAY=MO,TU'), ...event1).message).toContain('more than 100 times');
    expect(fault('BEGIN:VTIMEZONE', 'TZID:Restless', 'END:VTIMEZONE', ...event1).message).toContain('no STANDARD');
  });

  it('can never come true, without waiting for it', () => {
    expect(spans('DTSTART:20260228T000000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31')).toEqual([]);
  });
});
