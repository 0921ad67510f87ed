// Route constraints, as in ASP.NET: a value that does not fit makes the route not match
// (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints).
import { createContext, Script } from 'node:vm';

type Test = (value: string) => boolean;

/** What is wrong with a constraint's arguments; the caller says where. */
export class ConstraintError extends Error {}

// A pattern of the app may need exponential time for a hostile path, and nothing else would run meanwhile.
const patternTimeout = 100;

const int64 = (value: string): bigint | undefined => {
  if (!/^[+-]?\d{1,19}$/.test(value)) return undefined;
  const number = BigInt(value.replace('+', ''));
  return BigInt.asIntN(64, number) === number ? number : undefined;
};
const within = (value: string, least: bigint | undefined, most: bigint | undefined): boolean => {
  const number = int64(value);
  return number !== undefined && (least === undefined || number >= least) && (most === undefined || number <= most);
};

const matching = (pattern: RegExp) => () => (value: string) => pattern.test(value);
const guid = /^(?:[\da-f]{32}|[{(]?[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}[})]?)$/i;
const moment =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([ap]m))?(?:Z|[+-]\d{2}:\d{2})?)?$/i;

const constraints: Record<string, (args: string[]) => Test> = {
  int: () => (value) => within(value, -(2n ** 31n), 2n ** 31n - 1n),
  long: () => (value) => int64(value) !== undefined,
  bool: matching(/^(?:true|false)$/i),
  guid: matching(guid),
  alpha: matching(/^[a-z]*$/i),
  decimal: matching(/^[+-]?(?:\d+\.?\d*|\.\d+)$/),
  double: matching(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i),
  float: matching(/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i),
  datetime: () => isMoment,
  required: () => (value) => value !== '',
  min: (args) => {
    const [least] = numbers(args, 1, 1);
    return (value) => within(value, least, undefined);
  },
  max: (args) => {
    const [most] = numbers(args, 1, 1);
    return (value) => within(value, undefined, most);
  },
  range: (args) => {
    const [least, most] = numbers(args, 2, 2);
    return (value) => within(value, least, most);
  },
  minlength: (args) => {
    const [least = 0n] = numbers(args, 1, 1);
    return (value) => value.length >= least;
  },
  maxlength: (args) => {
    const [most = 0n] = numbers(args, 1, 1);
    return (value) => value.length <= most;
  },
  length: (args) => {
    const [least = 0n, most = least] = numbers(args, 1, 2);
    return (value) => value.length >= least && value.length <= most;
  },
};

/** The test that a constraint stands for; undefined for an unknown name. Throws ConstraintError for wrong arguments. */
export function makeConstraint(name: string, argument: string | undefined): Test | undefined {
  if (name === 'regex') return patternTest(argument ?? '');
  const make = constraints[name];
  const args = argument === undefined ? [] : argument.split(',').map((part) => part.trim());
  return make?.(args);
}

function numbers(args: string[], least: number, most: number): bigint[] {
  const values = args.map(int64).filter((value) => value !== undefined);
  if (values.length !== args.length || values.length < least || values.length > most)
    throw new ConstraintError(
      `needs ${most > 1 ? `${least === most ? most : `${least} or ${most}`} numbers` : 'a number'}`,
    );
  return values;
}

/** Not anchored and without case, as in ASP.NET. A pattern that takes too long does not match. */
function patternTest(source: string): Test {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, 'i');
  } catch (error) {
    throw new ConstraintError(`is no regular expression: ${String(error)}`);
  }
  const script = new Script('pattern.test(value)');
  const context = createContext({ pattern, value: '' });
  return (value) => {
    context['value'] = value;
    try {
      return script.runInContext(context, { timeout: patternTimeout }) === true;
    } catch {
      return false;
    }
  };
}

function isMoment(value: string): boolean {
  const [, date, hours = '0', minutes = '0', seconds = '0', half] = moment.exec(value) ?? [];
  if (date === undefined) return false;
  const day = new Date(`${date}T00:00:00Z`);
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  const hoursFit = half === undefined ? Number(hours) < 24 : Number(hours) >= 1 && Number(hours) <= 12;
  return isDay && hoursFit && Number(minutes) < 60 && Number(seconds) < 60;
}
