// Arrays, sets, objects, and choosing between values.
import { isJsonObject } from '../../json.ts';
import { compareForOrder, deepEqual, finite, type Value } from '../values.ts';
import { type BuiltIn, type BuiltIns, fn, isNumbers, MANY } from './builtIn.ts';

const has = (list: Value[], value: Value) => list.some((item) => deepEqual(item, value));
const distinct = (list: Value[]) => list.filter((item, at) => list.findIndex((other) => deepEqual(item, other)) === at);

const ofSets = (apply: (left: Value[], right: Value[]) => Value): BuiltIn =>
  fn(2, 2, ([left, right]) => (Array.isArray(left) && Array.isArray(right) ? apply(left, right) : undefined));

/** Of an array of numbers, and of nothing else. */
const ofNumbers = (apply: (list: number[]) => number | undefined): BuiltIn =>
  fn(1, 1, ([list]) => {
    if (!Array.isArray(list) || !isNumbers(list)) return undefined;
    const result = apply(list);
    return result === undefined ? undefined : finite(result);
  });

const extreme = (direction: 1 | -1): BuiltIn =>
  fn(1, 1, ([list]) => {
    if (!Array.isArray(list)) return undefined;
    const best = (one: Value, other: Value) => (compareForOrder(other, one) * direction > 0 ? other : one);
    return list.length === 0 ? undefined : list.reduce(best);
  });

const sum = (list: number[]) => list.reduce((total, value) => total + value, 0);

function median(list: number[]): number | undefined {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Whether all that `part` says of an object holds of `whole`. */
function includes(whole: Value, part: Value): boolean {
  if (!isJsonObject(part)) return deepEqual(whole, part);
  if (!isJsonObject(whole)) return false;
  return Object.keys(part).every((name) => Object.hasOwn(whole, name) && includes(whole[name], part[name]));
}

export const arrays: BuiltIns = {
  ARRAY_LENGTH: fn(1, 1, ([list]) => (Array.isArray(list) ? list.length : undefined)),
  ARRAY_CONTAINS: fn(2, 3, ([list, wanted, isPartial = false]) =>
    Array.isArray(list) && wanted !== undefined
      ? list.some((item) => (isPartial === true ? includes(item, wanted) : deepEqual(item, wanted)))
      : undefined,
  ),
  ARRAY_CONTAINS_ANY: fn(2, MANY, ([list, ...wanted]) =>
    Array.isArray(list) ? wanted.some((value) => has(list, value)) : undefined,
  ),
  ARRAY_CONTAINS_ALL: fn(2, MANY, ([list, ...wanted]) =>
    Array.isArray(list) ? wanted.every((value) => has(list, value)) : undefined,
  ),
  ARRAY_CONCAT: fn(2, MANY, (lists) => (lists.every((list) => Array.isArray(list)) ? lists.flat(1) : undefined)),
  ARRAY_SLICE: fn(2, 3, ([list, start, length]) => {
    if (!Array.isArray(list) || typeof start !== 'number') return undefined;
    const from = start < 0 ? Math.max(list.length + start, 0) : start;
    return list.slice(from, typeof length === 'number' ? from + Math.max(length, 0) : undefined);
  }),
  ARRAY_SUM: ofNumbers(sum),
  ARRAY_AVG: ofNumbers((list) => sum(list) / list.length),
  ARRAY_MEDIAN: ofNumbers(median),
  ARRAY_MIN: extreme(-1),
  ARRAY_MAX: extreme(1),
  SETINTERSECT: ofSets((left, right) => distinct(left.filter((item) => has(right, item)))),
  SETUNION: ofSets((left, right) => distinct([...left, ...right])),
  SETDIFFERENCE: ofSets((left, right) => distinct(left.filter((item) => !has(right, item)))),
  SETEQUAL: ofSets((left, right) => left.every((item) => has(right, item)) && right.every((item) => has(left, item))),
  OBJECTTOARRAY: fn(1, 3, ([object, key = 'k', value = 'v']) =>
    isJsonObject(object) && typeof key === 'string' && typeof value === 'string'
      ? Object.entries(object).map(([name, held]) => ({ [key]: name, [value]: held }))
      : undefined,
  ),
  CHOOSE: fn(2, MANY, ([at, ...values]) => (typeof at === 'number' ? values[at - 1] : undefined)),
  IIF: fn(3, 3, ([condition, yes, no]) => (condition === true ? yes : no)),
  DOCUMENTID: fn(1, 1, ([document]) => {
    const rid = isJsonObject(document) ? document._rid : undefined;
    if (typeof rid !== 'string') return undefined;
    const bytes = Buffer.from(rid.replaceAll('-', '/'), 'base64');
    return bytes.length === 16 ? Number(bytes.readBigUInt64LE(8)) : undefined;
  }),
};
