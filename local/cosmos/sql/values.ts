// Values of Cosmos SQL: JSON and "undefined". Equality and comparison follow Microsoft's own evaluator
// (https://github.com/Azure/azure-cosmos-dotnet-v3, tests/…/Query/OfflineEngine/ScalarExpressionEvaluator.cs): an
// undefined operand makes the answer undefined; values of different types are unequal, and not comparable.
import { isJsonObject } from '../json.ts';

export type Value = unknown;

const RANK = { undefined: 0, null: 1, boolean: 2, number: 3, string: 4, array: 5, object: 6 } as const;
type TypeName = keyof typeof RANK;

export function typeName(value: Value): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return type === 'boolean' || type === 'number' || type === 'string' || type === 'object' ? type : 'undefined';
}

/** `=`: undefined if either side is. */
export function isEqual(left: Value, right: Value): boolean | undefined {
  return left === undefined || right === undefined ? undefined : deepEqual(left, right);
}

export function deepEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => deepEqual(item, right[at]));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && deepEqual(left[name], right[name]))
  );
}

/** `<` and its kin: the sign, or undefined where the two can't be compared. */
export function compare(left: Value, right: Value): number | undefined {
  const type = typeName(left);
  if (type !== typeName(right) || type === 'undefined' || type === 'array' || type === 'object') return undefined;
  return sign(left, right);
}

/** The total order of ORDER BY: undefined, null, booleans, numbers, strings, arrays, objects. */
export function compareForOrder(left: Value, right: Value): number {
  const byType = RANK[typeName(left)] - RANK[typeName(right)];
  if (byType !== 0) return byType;
  if (typeof left === 'object' && left !== null) return sign(JSON.stringify(left), JSON.stringify(right));
  return sign(left, right);
}

function sign(left: Value, right: Value): number {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  const difference = Number(left) - Number(right);
  return Number.isNaN(difference) ? 0 : difference;
}

export function and(left: Value, right: Value): boolean | undefined {
  if (left === false || right === false) return false;
  return left === true && right === true ? true : undefined;
}

export function or(left: Value, right: Value): boolean | undefined {
  if (left === true || right === true) return true;
  return left === false && right === false ? false : undefined;
}

export function not(value: Value): boolean | undefined {
  return typeof value === 'boolean' ? !value : undefined;
}

/** A property of an object, an element of an array, or undefined. */
export function index(object: Value, at: Value): Value {
  if (typeof at === 'string') return isJsonObject(object) && Object.hasOwn(object, at) ? object[at] : undefined;
  return typeof at === 'number' && Array.isArray(object) ? object[at] : undefined;
}

/** JSON has no infinities: what is no finite number is undefined. */
export const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** A text that equal values share, whatever the order of their properties. */
export function canonical(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'undefined';
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
