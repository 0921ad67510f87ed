// Values of the SQL language and what operators make of them. Integers are 64-bit as in C#, other numbers doubles; a
// message's values of any other AMQP type take part as bytes, which nothing compares with.
import type { Exact } from '../../wire/values.ts';
import { Guid } from '../../wire/values.ts';
import type { Arithmetic } from './ast.ts';

export type SqlValue = Exact;

/** An expression that cannot be evaluated for this message: the service calls it a FilterException. */
export class FilterException extends Error {
  override name = 'FilterException';
}

export function kindOf(value: SqlValue): string {
  if (value === null) return 'null';
  if (value instanceof Date) return 'date and time';
  if (value instanceof Guid) return 'guid';
  if (typeof value === 'object') return 'binary';
  return typeof value === 'bigint' || typeof value === 'number' ? 'number' : typeof value;
}

/** Negative, 0 or positive; undefined when the two have no order. */
function order(left: SqlValue, right: SqlValue): number | undefined {
  const [a, b] = [left instanceof Date ? left.getTime() : left, right instanceof Date ? right.getTime() : right];
  if (left instanceof Date !== right instanceof Date) return undefined;
  const areNumbers = kindOf(left) === 'number' && kindOf(right) === 'number';
  const areTexts = typeof a === 'string' && typeof b === 'string';
  if (!areNumbers && !areTexts && !(left instanceof Date)) return undefined;
  const [x, y] = [a as number, b as number];
  return x < y ? -1 : x > y ? 1 : x === y || areNumbers ? 0 : undefined;
}

export function areEqual(left: SqlValue, right: SqlValue): boolean {
  if (kindOf(left) !== kindOf(right)) return false;
  // biome-ignore lint/suspicious/noDoubleEquals: an integer equals the double of the same value.
  if (kindOf(left) === 'number') return left == right;
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime();
  if (left instanceof Guid && right instanceof Guid) return left.text === right.text;
  return left === right;
}

/** Whether `left` and `right` are in an order; text by code units. */
export function compare(left: SqlValue, right: SqlValue): number {
  if (typeof left === 'number' && Number.isNaN(left)) return Number.NaN;
  if (typeof right === 'number' && Number.isNaN(right)) return Number.NaN;
  const found = order(left, right);
  if (found === undefined)
    throw new FilterException(`A ${kindOf(left)} and a ${kindOf(right)} cannot be put in an order.`);
  return found;
}

const [least, greatest] = [-(2n ** 63n), 2n ** 63n - 1n];

function integer(value: bigint): bigint {
  if (value < least || value > greatest) throw new FilterException('The arithmetic left the range of 64-bit integers.');
  return value;
}

export function negate(value: SqlValue): SqlValue {
  if (typeof value === 'bigint') return integer(-value);
  if (typeof value === 'number') return -value;
  throw new FilterException(`A ${kindOf(value)} has no sign.`);
}

export function calculate(operator: Arithmetic, left: SqlValue, right: SqlValue): SqlValue {
  if (operator === '+' && (typeof left === 'string' || typeof right === 'string')) return textOf(left) + textOf(right);
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (right === 0n && (operator === '/' || operator === '%')) throw new FilterException('Division by zero.');
    return integer(exact[operator](left, right));
  }
  const [a, b] = [left, right].map((value) =>
    typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined,
  );
  if (a === undefined || b === undefined) {
    throw new FilterException(`'${operator}' is not for a ${kindOf(left)} and a ${kindOf(right)}.`);
  }
  return approximate[operator](a, b);
}

const exact: Record<Arithmetic, (a: bigint, b: bigint) => bigint> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const approximate: Record<Arithmetic, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

/** A value as text, for concatenation and for system properties, which are all text. */
export function textOf(value: SqlValue): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Guid) return value.text;
  if (typeof value === 'object') throw new FilterException('A binary value has no text.');
  return String(value);
}
