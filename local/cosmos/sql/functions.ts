// The built-in functions. A missing or mistyped argument makes the answer undefined, never an error.
// https://learn.microsoft.com/cosmos-db/query/
import { isJsonObject } from '../json.ts';
import { compareForOrder, deepEqual, finite, typeName, type Value } from './values.ts';

interface BuiltIn {
  min: number;
  max: number;
  apply: (args: Value[]) => Value;
}

const functions = new Map<string, BuiltIn>();

export function builtIn(name: string): BuiltIn | undefined {
  return functions.get(name) ?? functions.get(name.replaceAll('_', ''));
}

function define(name: string, min: number, max: number, apply: (args: Value[]) => Value): void {
  functions.set(name, { min, max, apply });
}

function numeric(name: string, apply: (value: number) => number): void {
  define(name, 1, 1, ([value]) => (typeof value === 'number' ? finite(apply(value)) : undefined));
}

function textual(name: string, apply: (value: string) => Value): void {
  define(name, 1, 1, ([value]) => (typeof value === 'string' ? apply(value) : undefined));
}

/** Two strings and, third, whether case is ignored. */
function matching(name: string, apply: (text: string, part: string) => boolean): void {
  define(name, 2, 3, ([text, part, ignoreCase = false]) => {
    if (typeof text !== 'string' || typeof part !== 'string' || typeof ignoreCase !== 'boolean') return undefined;
    return ignoreCase ? apply(text.toLowerCase(), part.toLowerCase()) : apply(text, part);
  });
}

// Types
define('IS_DEFINED', 1, 1, ([value]) => value !== undefined);
for (const type of ['null', 'string', 'number', 'array', 'object'] as const) {
  define(`IS_${type.toUpperCase()}`, 1, 1, ([value]) => typeName(value) === type);
}
define('IS_BOOL', 1, 1, ([value]) => typeof value === 'boolean');
define('IS_PRIMITIVE', 1, 1, ([value]) => ['null', 'boolean', 'number', 'string'].includes(typeName(value)));
define('IS_INTEGER', 1, 1, ([value]) => Number.isInteger(value));
define('IS_FINITE_NUMBER', 1, 1, ([value]) => Number.isFinite(value));

// Strings
matching('CONTAINS', (text, part) => text.includes(part));
matching('STARTSWITH', (text, part) => text.startsWith(part));
matching('ENDSWITH', (text, part) => text.endsWith(part));
matching('STRINGEQUALS', (text, part) => text === part);
textual('LOWER', (text) => text.toLowerCase());
textual('UPPER', (text) => text.toUpperCase());
textual('LENGTH', (text) => text.length);
textual('TRIM', (text) => text.trim());
textual('LTRIM', (text) => text.trimStart());
textual('RTRIM', (text) => text.trimEnd());
textual('REVERSE', (text) => [...text].reverse().join(''));
define('CONCAT', 2, 64, (args) => (args.every((arg) => typeof arg === 'string') ? args.join('') : undefined));
define('SUBSTRING', 3, 3, ([text, start, length]) =>
  typeof text === 'string' && typeof start === 'number' && typeof length === 'number'
    ? text.slice(Math.max(start, 0), Math.max(start, 0) + Math.max(length, 0))
    : undefined,
);
define('LEFT', 2, 2, ([text, length]) =>
  typeof text === 'string' && typeof length === 'number' ? text.slice(0, Math.max(length, 0)) : undefined,
);
define('RIGHT', 2, 2, ([text, length]) =>
  typeof text === 'string' && typeof length === 'number' ? text.slice(Math.max(text.length - length, 0)) : undefined,
);
define('INDEX_OF', 2, 3, ([text, part, from = 0]) =>
  typeof text === 'string' && typeof part === 'string' && typeof from === 'number'
    ? text.indexOf(part, from)
    : undefined,
);
define('REPLACE', 3, 3, ([text, from, to]) =>
  typeof text === 'string' && typeof from === 'string' && typeof to === 'string'
    ? text.replaceAll(from, to)
    : undefined,
);
define('REPLICATE', 2, 2, ([text, times]) =>
  typeof text === 'string' && typeof times === 'number' && times >= 0 && text.length * times <= 10_000
    ? text.repeat(times)
    : undefined,
);
define('STRINGSPLIT', 2, 2, ([text, by]) =>
  typeof text === 'string' && typeof by === 'string' ? text.split(by) : undefined,
);
define('TOSTRING', 1, 1, ([value]) => (typeof value === 'string' ? value : JSON.stringify(value)));
for (const type of ['number', 'boolean', 'null', 'array', 'object'] as const) {
  textual(`STRINGTO${type.toUpperCase()}`, (text) => parsed(text, type));
}
define('REGEXMATCH', 2, 3, ([text, pattern, flags = '']) => {
  if (typeof text !== 'string' || typeof pattern !== 'string' || typeof flags !== 'string') return undefined;
  try {
    return new RegExp(pattern, flags.replaceAll('x', '')).test(text);
  } catch {
    return undefined;
  }
});

// Numbers
numeric('ABS', Math.abs);
numeric('CEILING', Math.ceil);
numeric('FLOOR', Math.floor);
numeric('TRUNC', Math.trunc);
numeric('SIGN', Math.sign);
numeric('SQRT', Math.sqrt);
numeric('SQUARE', (value) => value * value);
numeric('EXP', Math.exp);
numeric('LOG10', Math.log10);
numeric('SIN', Math.sin);
numeric('COS', Math.cos);
numeric('TAN', Math.tan);
define('LOG', 1, 2, ([value, base = Math.E]) =>
  typeof value === 'number' && typeof base === 'number' ? finite(Math.log(value) / Math.log(base)) : undefined,
);
define('POWER', 2, 2, ([value, by]) =>
  typeof value === 'number' && typeof by === 'number' ? finite(value ** by) : undefined,
);
define('ROUND', 1, 2, ([value, digits = 0]) => {
  if (typeof value !== 'number' || typeof digits !== 'number') return undefined;
  const scale = 10 ** digits;
  return finite((Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale);
});
define('PI', 0, 0, () => Math.PI);

// Arrays
define('ARRAY_LENGTH', 1, 1, ([list]) => (Array.isArray(list) ? list.length : undefined));
define('ARRAY_CONTAINS', 2, 3, ([list, wanted, isPartial = false]) =>
  Array.isArray(list) && wanted !== undefined
    ? list.some((item) => (isPartial === true ? includes(item, wanted) : deepEqual(item, wanted)))
    : undefined,
);
define('ARRAY_CONTAINS_ANY', 2, 64, ([list, ...wanted]) =>
  Array.isArray(list) ? wanted.some((value) => list.some((item) => deepEqual(item, value))) : undefined,
);
define('ARRAY_CONTAINS_ALL', 2, 64, ([list, ...wanted]) =>
  Array.isArray(list) ? wanted.every((value) => list.some((item) => deepEqual(item, value))) : undefined,
);
define('ARRAY_CONCAT', 2, 64, (lists) => (lists.every((list) => Array.isArray(list)) ? lists.flat(1) : undefined));
define('ARRAY_SLICE', 2, 3, ([list, start, length]) => {
  if (!Array.isArray(list) || typeof start !== 'number') return undefined;
  const from = start < 0 ? Math.max(list.length + start, 0) : start;
  return list.slice(from, typeof length === 'number' ? from + Math.max(length, 0) : undefined);
});
define('SETINTERSECT', 2, 2, ([left, right]) =>
  Array.isArray(left) && Array.isArray(right)
    ? distinct(left.filter((item) => right.some((other) => deepEqual(item, other))))
    : undefined,
);
define('SETUNION', 2, 2, ([left, right]) =>
  Array.isArray(left) && Array.isArray(right) ? distinct([...left, ...right]) : undefined,
);
define('CHOOSE', 2, 64, ([at, ...values]) => (typeof at === 'number' ? values[at - 1] : undefined));
define('IIF', 3, 3, ([condition, yes, no]) => (condition === true ? yes : no));
define('GREATEST', 2, 64, (args) => args.reduce((best, arg) => (compareForOrder(arg, best) > 0 ? arg : best)));

// Time
define('GETCURRENTTIMESTAMP', 0, 0, () => Date.now());
define('GETCURRENTDATETIME', 0, 0, () => new Date().toISOString());
define('DATETIMETOTIMESTAMP', 1, 1, ([text]) => (typeof text === 'string' ? finite(Date.parse(text)) : undefined));
define('TIMESTAMPTODATETIME', 1, 1, ([time]) =>
  typeof time === 'number' && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : undefined,
);

function parsed(text: string, type: string): Value {
  try {
    const value: unknown = JSON.parse(text);
    return typeName(value) === type ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all that `part` says of an object holds of `whole`. */
function includes(whole: Value, part: Value): boolean {
  if (!isJsonObject(part)) return deepEqual(whole, part);
  if (!isJsonObject(whole)) return false;
  return Object.keys(part).every((name) => Object.hasOwn(whole, name) && includes(whole[name], part[name]));
}

const distinct = (list: Value[]) => list.filter((item, at) => list.findIndex((other) => deepEqual(item, other)) === at);
