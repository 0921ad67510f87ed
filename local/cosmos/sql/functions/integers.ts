// 64-bit signed integers: both arguments must be whole numbers, and what leaves 64 bits wraps around.
import { type BuiltIn, type BuiltIns, fn } from './builtIn.ts';

const whole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);
const wrapped = (value: bigint) => Number(BigInt.asIntN(64, value));

const ofTwo = (apply: (left: bigint, right: bigint) => bigint): BuiltIn =>
  fn(2, 2, ([left, right]) => (whole(left) && whole(right) ? wrapped(apply(BigInt(left), BigInt(right))) : undefined));

/** Nothing is divided by zero. */
const dividing = (apply: (left: bigint, right: bigint) => bigint): BuiltIn =>
  fn(2, 2, ([left, right]) =>
    whole(left) && whole(right) && right !== 0 ? wrapped(apply(BigInt(left), BigInt(right))) : undefined,
  );

/** By as many bits as there are, at most. */
const shifting = (apply: (left: bigint, by: bigint) => bigint): BuiltIn =>
  fn(2, 2, ([left, by]) =>
    whole(left) && whole(by) && by >= 0 && by < 64 ? wrapped(apply(BigInt(left), BigInt(by))) : undefined,
  );

export const integers: BuiltIns = {
  INTADD: ofTwo((left, right) => left + right),
  INTSUB: ofTwo((left, right) => left - right),
  INTMUL: ofTwo((left, right) => left * right),
  INTDIV: dividing((left, right) => left / right),
  INTMOD: dividing((left, right) => left % right),
  INTBITAND: ofTwo((left, right) => left & right),
  INTBITOR: ofTwo((left, right) => left | right),
  INTBITXOR: ofTwo((left, right) => left ^ right),
  INTBITNOT: fn(1, 1, ([value]) => (whole(value) ? wrapped(~BigInt(value)) : undefined)),
  INTBITLEFTSHIFT: shifting((left, by) => left << by),
  INTBITRIGHTSHIFT: shifting((left, by) => left >> by),
};
