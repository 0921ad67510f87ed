import { refuse } from './problem.ts';

/** A query parameter that is a whole number. */
export function wholeNumber(
  name: string,
  value: string | null,
  otherwise: number,
  least: number,
  most: number,
): number {
  const number = Number(value ?? otherwise);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  const message = `is no whole number from ${least} to ${most}`;
  throw refuse('invalidInput', `"${name}" ${message}.`, [
    { path: name, value, message, fix: 'give the version of the last entry that you have, or leave it out' },
  ]);
}
