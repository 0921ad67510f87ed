// What a built-in function is. A missing or mistyped argument makes its answer undefined, never an error.
import { finite, type Value } from '../values.ts';

export interface BuiltIn {
  min: number;
  max: number;
  apply: (args: Value[]) => Value;
}

export type BuiltIns = Readonly<Record<string, BuiltIn>>;

/** More arguments than anybody writes. */
export const MANY = 1024;

export const fn = (min: number, max: number, apply: (args: Value[]) => Value): BuiltIn => ({ min, max, apply });

/** Of one number. */
export const numeric = (apply: (value: number) => number) =>
  fn(1, 1, ([value]) => (typeof value === 'number' ? finite(apply(value)) : undefined));

/** Of one string. */
export const textual = (apply: (value: string) => Value) =>
  fn(1, 1, ([value]) => (typeof value === 'string' ? apply(value) : undefined));

export const isNumbers = (values: Value[]): values is number[] => values.every((value) => typeof value === 'number');
export const isTexts = (values: Value[]): values is string[] => values.every((value) => typeof value === 'string');
