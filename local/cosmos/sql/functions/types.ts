// What a value is.
import { typeName } from '../values.ts';
import { type BuiltIns, fn } from './builtIn.ts';
import { ticksOf } from './ticks.ts';

const isType = (type: ReturnType<typeof typeName>) => fn(1, 1, ([value]) => typeName(value) === type);

export const types: BuiltIns = {
  IS_DEFINED: fn(1, 1, ([value]) => value !== undefined),
  IS_NULL: isType('null'),
  IS_BOOL: isType('boolean'),
  IS_STRING: isType('string'),
  IS_NUMBER: isType('number'),
  IS_ARRAY: isType('array'),
  IS_OBJECT: isType('object'),
  IS_PRIMITIVE: fn(1, 1, ([value]) => ['null', 'boolean', 'number', 'string'].includes(typeName(value))),
  IS_INTEGER: fn(1, 1, ([value]) => Number.isInteger(value) && Math.abs(Number(value)) <= 2 ** 63),
  IS_FINITE_NUMBER: fn(1, 1, ([value]) => Number.isFinite(value)),
  IS_DATETIME: fn(1, 1, ([value]) => ticksOf(value) !== undefined),
};
