// The built-in functions by name. https://learn.microsoft.com/cosmos-db/query/
import { arrays } from './arrays.ts';
import type { BuiltIn } from './builtIn.ts';
import { dates } from './dates.ts';
import { integers } from './integers.ts';
import { numbers } from './numbers.ts';
import { strings } from './strings.ts';
import { types } from './types.ts';

const functions = new Map(Object.entries({ ...types, ...strings, ...numbers, ...integers, ...arrays, ...dates }));

/** `name` in upper case; the service takes INDEX_OF and INDEXOF alike. */
export function builtIn(name: string): BuiltIn | undefined {
  return functions.get(name) ?? functions.get(name.replaceAll('_', ''));
}
