// Dates and times: texts in ISO 8601, in UTC with seven digits when they are answers.
import { type BuiltIn, type BuiltIns, fn } from './builtIn.ts';
import { TICKS_A_MS, textOf, ticksOf } from './ticks.ts';

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

const NAMES: Readonly<Record<string, Part>> = {
  ...{
    year: 'year',
    yyyy: 'year',
    yy: 'year',
    month: 'month',
    mm: 'month',
    m: 'month',
    day: 'day',
    dd: 'day',
    d: 'day',
  },
  ...{
    hour: 'hour',
    hh: 'hour',
    minute: 'minute',
    mi: 'minute',
    n: 'minute',
    second: 'second',
    ss: 'second',
    s: 'second',
  },
  ...{ millisecond: 'millisecond', ms: 'millisecond', microsecond: 'microsecond', mcs: 'microsecond' },
  ...{ nanosecond: 'nanosecond', ns: 'nanosecond' },
};
/** Ticks of the parts that always take as long. */
const LENGTHS = {
  day: 864_000_000_000n,
  hour: 36_000_000_000n,
  minute: 600_000_000n,
  second: 10_000_000n,
  millisecond: TICKS_A_MS,
  microsecond: 10n,
} as const;
const NANOSECONDS_A_TICK = 100;

const partOf = (name: unknown) => (typeof name === 'string' ? NAMES[name.toLowerCase()] : undefined);
const dateOf = (ticks: bigint) => new Date(Number(floorDiv(ticks, TICKS_A_MS)));
const monthsOf = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();

function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function add(part: Part, by: number, ticks: bigint): bigint {
  if (part === 'nanosecond') return ticks + BigInt(Math.trunc(by / NANOSECONDS_A_TICK));
  if (part !== 'year' && part !== 'month') return ticks + BigInt(by) * LENGTHS[part];
  const date = dateOf(ticks);
  const day = date.getUTCDate();
  const rest = ticks - BigInt(date.getTime()) * TICKS_A_MS;
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + by * (part === 'year' ? 12 : 1));
  // The 31st becomes the last day of a shorter month.
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return BigInt(date.getTime()) * TICKS_A_MS + rest;
}

/** How many boundaries of a part lie between two moments. */
function difference(part: Part, from: bigint, to: bigint): number {
  if (part === 'nanosecond') return Number(to - from) * NANOSECONDS_A_TICK;
  if (part === 'year') return dateOf(to).getUTCFullYear() - dateOf(from).getUTCFullYear();
  if (part === 'month') return monthsOf(dateOf(to)) - monthsOf(dateOf(from));
  return Number(floorDiv(to, LENGTHS[part]) - floorDiv(from, LENGTHS[part]));
}

function read(part: Part, ticks: bigint): number {
  const date = dateOf(ticks);
  const fraction = Number(ticks - floorDiv(ticks, LENGTHS.second) * LENGTHS.second);
  switch (part) {
    case 'year':
      return date.getUTCFullYear();
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
      return date.getUTCDate();
    case 'hour':
      return date.getUTCHours();
    case 'minute':
      return date.getUTCMinutes();
    case 'second':
      return date.getUTCSeconds();
    case 'millisecond':
      return date.getUTCMilliseconds();
    case 'microsecond':
      return Math.floor(fraction / 10);
    case 'nanosecond':
      return fraction * NANOSECONDS_A_TICK;
  }
}

/** The start of the bin of `size` parts, counted from `origin`, in which a moment lies. */
function bin(part: Part, size: number, ticks: bigint, origin: bigint): bigint | undefined {
  if (part === 'nanosecond') return undefined;
  if (part !== 'year' && part !== 'month') {
    const length = LENGTHS[part] * BigInt(size);
    return origin + floorDiv(ticks - origin, length) * length;
  }
  const months = size * (part === 'year' ? 12 : 1);
  const passed = monthsOf(dateOf(ticks)) - monthsOf(dateOf(origin));
  const start = add('month', Math.floor(passed / months) * months, origin);
  return start > ticks ? add('month', -months, start) : start;
}

const reading = (apply: (ticks: bigint) => unknown): BuiltIn =>
  fn(1, 1, ([text]) => {
    const ticks = ticksOf(text);
    return ticks === undefined ? undefined : apply(ticks);
  });

const now = () => BigInt(Date.now()) * TICKS_A_MS;
const currentText = fn(0, 0, () => textOf(now()));
const currentTicks = fn(0, 0, () => Number(now()));
const currentTimestamp = fn(0, 0, () => Date.now());
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

export const dates: BuiltIns = {
  GETCURRENTDATETIME: currentText,
  GETCURRENTDATETIMESTATIC: currentText,
  GETCURRENTTICKS: currentTicks,
  GETCURRENTTICKSSTATIC: currentTicks,
  GETCURRENTTIMESTAMP: currentTimestamp,
  GETCURRENTTIMESTAMPSTATIC: currentTimestamp,
  DATETIMETOTIMESTAMP: reading((ticks) => Number(floorDiv(ticks, TICKS_A_MS))),
  DATETIMETOTICKS: reading((ticks) => Number(ticks)),
  TIMESTAMPTODATETIME: fn(1, 1, ([ms]) => (isWhole(ms) ? textOf(BigInt(ms) * TICKS_A_MS) : undefined)),
  TICKSTODATETIME: fn(1, 1, ([ticks]) => (Number.isInteger(ticks) ? textOf(BigInt(Number(ticks))) : undefined)),
  DATETIMEADD: fn(3, 3, ([name, by, text]) => {
    const [part, ticks] = [partOf(name), ticksOf(text)];
    return part && ticks !== undefined && isWhole(by) ? textOf(add(part, by, ticks)) : undefined;
  }),
  DATETIMEDIFF: fn(3, 3, ([name, from, to]) => {
    const [part, start, end] = [partOf(name), ticksOf(from), ticksOf(to)];
    return part && start !== undefined && end !== undefined ? difference(part, start, end) : undefined;
  }),
  DATETIMEPART: fn(2, 2, ([name, text]) => {
    const [part, ticks] = [partOf(name), ticksOf(text)];
    return part && ticks !== undefined ? read(part, ticks) : undefined;
  }),
  DATETIMEBIN: fn(2, 4, ([text, name, size = 1, from = '1970-01-01']) => {
    const [ticks, part, origin] = [ticksOf(text), partOf(name), ticksOf(from)];
    if (ticks === undefined || origin === undefined || !part || !isWhole(size) || size < 1) return undefined;
    const start = bin(part, size, ticks, origin);
    return start === undefined ? undefined : textOf(start);
  }),
  DATETIMEFROMPARTS: fn(3, 7, (args) => {
    const [year, month, day, hour = 0, minute = 0, second = 0, fraction = 0] = args;
    if (![year, month, day, hour, minute, second, fraction].every(isWhole)) return undefined;
    const two = (value: unknown) => String(value).padStart(2, '0');
    const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
    const time = `${two(hour)}:${two(minute)}:${two(second)}.${String(fraction).padStart(7, '0')}Z`;
    const ticks = ticksOf(`${date}T${time}`);
    return ticks === undefined ? undefined : textOf(ticks);
  }),
};
