// Recurrence rules, RFC 5545, 3.3.10, for what happens at most once a day. Every period of a rule is looked at day by
// day, so a rule that never comes true ends with its horizon. (ical.js@2.2.1 loops for ever on
// FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31 and moves 30 February into March, so only its parser of calendars is used.)

const days = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'] as const;
const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;

export interface Rule {
  frequency: (typeof frequencies)[number];
  interval: number;
  count?: number | undefined;
  /** A date, a wall-clock time, or an instant: `2026-12-31`, `2026-12-31T12:00:00`, `2026-12-31T12:00:00Z`. Included. */
  until?: string | undefined;
  /** Weekday 0-6 from Sunday; `nth` counts within month or year, negative from its end. */
  byDay: { nth?: number | undefined; weekday: number }[];
  byMonth: number[];
  byMonthDay: number[];
  byYearDay: number[];
  bySetPosition: number[];
  weekStart: number;
}

/** Reads a rule, or says what about it is not understood. */
export function parseRule(text: string): { rule: Rule } | { fault: string } {
  const parts = new Map<string, string>();
  for (const part of text.trim().toUpperCase().split(';')) {
    const [name = '', value = '', ...more] = part.split('=');
    if (value === '' || more.length > 0) return { fault: `"${part}" is no part such as FREQ=WEEKLY` };
    if (parts.has(name)) return { fault: `${name} comes twice` };
    parts.set(name, value);
  }
  try {
    const take = (name: string): string | undefined => {
      const value = parts.get(name);
      parts.delete(name);
      return value;
    };
    const numbers = (name: string, most: number, signed: boolean): number[] =>
      (take(name)?.split(',') ?? []).map((one) => numberOf(name, one, most, signed));
    const number = (name: string, most: number): number | undefined => {
      const value = take(name);
      return value === undefined ? undefined : numberOf(name, value, most, false);
    };
    const rule: Rule = {
      frequency: oneOf('FREQ', take('FREQ'), frequencies),
      interval: number('INTERVAL', 1000) ?? 1,
      count: number('COUNT', 10_000),
      until: untilOf(take('UNTIL')),
      byDay: (take('BYDAY')?.split(',') ?? []).map(byDayOf),
      byMonth: numbers('BYMONTH', 12, false),
      byMonthDay: numbers('BYMONTHDAY', 31, true),
      byYearDay: numbers('BYYEARDAY', 366, true),
      bySetPosition: numbers('BYSETPOS', 366, true),
      weekStart: days.indexOf(oneOf('WKST', take('WKST') ?? 'MO', days)),
    };
    const [unknown] = parts.keys();
    const fault = unknown === undefined ? contradiction(rule) : `${unknown} is not supported`;
    return fault === undefined ? { rule } : { fault };
  } catch (error) {
    if (error instanceof RangeError) return { fault: error.message };
    throw error;
  }
}

function contradiction({ frequency, count, until, byDay, byMonthDay, byYearDay }: Rule): string | undefined {
  if (count !== undefined && until !== undefined) return 'COUNT and UNTIL exclude each other';
  const numbered = byDay.some(({ nth }) => nth !== undefined);
  if (numbered && (frequency === 'DAILY' || frequency === 'WEEKLY'))
    return `a numbered BYDAY needs FREQ=MONTHLY or FREQ=YEARLY`;
  if (byMonthDay.length > 0 && frequency === 'WEEKLY') return 'BYMONTHDAY does not go with FREQ=WEEKLY';
  if (byYearDay.length > 0 && frequency !== 'YEARLY') return 'BYYEARDAY needs FREQ=YEARLY';
  return undefined;
}

function oneOf<T extends string>(name: string, value: string | undefined, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new RangeError(`${name} is ${value ?? 'missing'}: use one of ${known.join(', ')}`);
  return found;
}

function numberOf(name: string, text: string, most: number, signed: boolean): number {
  const value = /^[+-]?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) >= 1 && Math.abs(value) <= most && (signed || value > 0)))
    throw new RangeError(`${name} is ${text}: use ${signed ? `1 to ${most} or -1 to -${most}` : `1 to ${most}`}`);
  return value;
}

function byDayOf(text: string): Rule['byDay'][number] {
  const [, nth, name] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text) ?? [];
  const weekday = days.indexOf(oneOf('BYDAY', name ?? text, days));
  return nth === undefined ? { weekday } : { weekday, nth: numberOf('BYDAY', nth, 53, true) };
}

function untilOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)(Z?))?$/.exec(text);
  if (match === null) throw new RangeError(`UNTIL is ${text}: use 20261231 or 20261231T220000`);
  const [, year, month, day, hour, minute, second, z] = match;
  return `${year}-${month}-${day}${hour === undefined ? '' : `T${hour}:${minute}:${second}${z}`}`;
}

/**
 * The wall-clock times, ascending, at which a rule comes true, from `start` on (it counts only where it fits the rule) to
 * `until` (a date, included). `from` (a date) leaves out earlier ones, which still count for COUNT.
 */
export function* occurrences(
  rule: Rule,
  start: string,
  { from = start.slice(0, 10), until }: { from?: string; until: string },
): Generator<string> {
  const first = dayNumber(start);
  const clock = start.slice(10);
  const last = Math.min(dayNumber(until), rule.until === undefined ? Number.POSITIVE_INFINITY : dayNumber(rule.until));
  const wanted = dayNumber(from);
  const filled = withDefaults(rule, first);
  let counted = 0;
  // Without COUNT nothing has to be counted, and what lies before `from` is not gone through.
  for (let n = rule.count === undefined ? periodsBefore(rule, first, wanted) : 0; ; n++) {
    const [begin, end] = period(rule, first, n * rule.interval);
    if (begin > last) return;
    const matching: number[] = [];
    for (let day = begin; day < end; day++) if (matches(filled, day)) matching.push(day);
    for (const day of positions(matching, rule.bySetPosition)) {
      if (day < first) continue;
      if (day > last || counted++ === rule.count) return;
      const at = `${dateText(day)}${clock}`;
      if (rule.until?.includes('T') && at > rule.until) return;
      if (day >= wanted) yield at;
    }
  }
}

/** What the start says where the rule says nothing. */
function withDefaults(rule: Rule, first: number): Rule {
  const { frequency, byDay, byMonth, byMonthDay, byYearDay } = rule;
  const { month, day, weekday } = dateOf(first);
  if (frequency === 'DAILY' || byDay.length + byMonthDay.length + byYearDay.length > 0) return rule;
  if (frequency === 'WEEKLY') return { ...rule, byDay: [{ weekday }] };
  return { ...rule, byMonthDay: [day], byMonth: frequency === 'YEARLY' && byMonth.length === 0 ? [month] : byMonth };
}

function matches({ frequency, byDay, byMonth, byMonthDay, byYearDay }: Rule, at: number): boolean {
  const { year, month, day, weekday } = dateOf(at);
  if (byMonth.length > 0 && !byMonth.includes(month)) return false;
  if (byDay.length > 0 && !byDay.some((one) => one.weekday === weekday)) return false;
  const inMonth = (): Span => [startOfMonth(year, month), startOfMonth(year, month + 1)];
  const inYear = (): Span => [startOfMonth(year, 1), startOfMonth(year + 1, 1)];
  if (byMonthDay.length > 0 && !byMonthDay.includes(day) && !byMonthDay.includes(at - inMonth()[1])) return false;
  if (byYearDay.length > 0 && !byYearDay.includes(at - inYear()[0] + 1) && !byYearDay.includes(at - inYear()[1]))
    return false;
  if (byDay.length === 0) return true;
  const within = frequency === 'MONTHLY' || byMonth.length > 0 ? inMonth : inYear;
  return byDay.some(({ weekday: on, nth }) => on === weekday && (nth === undefined || isNth(nth, at, within())));
}

type Span = readonly [begin: number, end: number];

function isNth(nth: number, at: number, [begin, end]: Span): boolean {
  return nth > 0 ? Math.floor((at - begin) / 7) + 1 === nth : Math.floor((end - 1 - at) / 7) + 1 === -nth;
}

function positions(matching: readonly number[], bySetPosition: readonly number[]): number[] {
  if (bySetPosition.length === 0) return [...matching];
  const chosen = new Set(bySetPosition.map((n) => matching.at(n > 0 ? n - 1 : n)));
  return matching.filter((day) => chosen.has(day));
}

/** The days of the n-th day, week, month or year from the one of the first occurrence. */
function period({ frequency, weekStart }: Rule, first: number, n: number): Span {
  const { year, month, weekday } = dateOf(first);
  switch (frequency) {
    case 'DAILY':
      return [first + n, first + n + 1];
    case 'WEEKLY': {
      const begin = first - ((weekday - weekStart + 7) % 7) + 7 * n;
      return [begin, begin + 7];
    }
    case 'MONTHLY':
      return [startOfMonth(year, month + n), startOfMonth(year, month + n + 1)];
    case 'YEARLY':
      return [startOfMonth(year + n, 1), startOfMonth(year + n + 1, 1)];
  }
}

const longestDays = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 } as const;

/** A number of whole intervals that surely end before a day. */
function periodsBefore({ frequency, interval }: Rule, first: number, day: number): number {
  return Math.max(0, Math.floor((day - first) / (longestDays[frequency] * interval)) - 1);
}

const dayMs = 86_400_000;

/** Days since 1970-01-01 of the date that a text begins with. */
function dayNumber(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / dayMs;
}

function dateText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

function dateOf(day: number): { year: number; month: number; day: number; weekday: number } {
  const date = new Date(day * dayMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
  };
}

/** `month` may run over: 13 is January of the next year. */
function startOfMonth(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / dayMs;
}
