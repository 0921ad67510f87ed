// Numbers. JSON has no infinities and no NaN: what is no finite number is undefined.
import { finite } from '../values.ts';
import { type BuiltIn, type BuiltIns, fn, isNumbers, numeric } from './builtIn.ts';

const ofTwo = (apply: (left: number, right: number) => number): BuiltIn =>
  fn(2, 2, (args) => (isNumbers(args) ? finite(apply(args[0] ?? 0, args[1] ?? 0)) : undefined));

/** Halves go away from zero. */
function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale;
}

export const numbers: BuiltIns = {
  ABS: numeric(Math.abs),
  CEILING: numeric(Math.ceil),
  FLOOR: numeric(Math.floor),
  TRUNC: numeric(Math.trunc),
  SIGN: numeric(Math.sign),
  SQRT: numeric(Math.sqrt),
  SQUARE: numeric((value) => value * value),
  EXP: numeric(Math.exp),
  LOG10: numeric(Math.log10),
  SIN: numeric(Math.sin),
  COS: numeric(Math.cos),
  TAN: numeric(Math.tan),
  COT: numeric((value) => 1 / Math.tan(value)),
  ASIN: numeric(Math.asin),
  ACOS: numeric(Math.acos),
  ATAN: numeric(Math.atan),
  ATN2: ofTwo(Math.atan2),
  DEGREES: numeric((value) => (value * 180) / Math.PI),
  RADIANS: numeric((value) => (value * Math.PI) / 180),
  LOG: fn(1, 2, ([value, base = Math.E]) =>
    typeof value === 'number' && typeof base === 'number' ? finite(Math.log(value) / Math.log(base)) : undefined,
  ),
  POWER: ofTwo((value, by) => value ** by),
  ROUND: fn(1, 2, ([value, digits = 0]) =>
    typeof value === 'number' && typeof digits === 'number' ? finite(round(value, digits)) : undefined,
  ),
  NUMBERBIN: fn(1, 2, ([value, size = 1]) =>
    typeof value === 'number' && typeof size === 'number' ? finite(Math.floor(value / size) * size) : undefined,
  ),
  PI: fn(0, 0, () => Math.PI),
  RAND: fn(0, 0, () => Math.random()),
};
