// Strings.
import { typeName, type Value } from '../values.ts';
import { type BuiltIn, type BuiltIns, fn, isTexts, MANY, textual } from './builtIn.ts';

const MAX_REPLICATED = 10_000;

/** Two strings and, third, whether case is ignored. */
const matching = (apply: (text: string, part: string) => boolean): BuiltIn =>
  fn(2, 3, ([text, part, ignoreCase = false]) => {
    if (typeof text !== 'string' || typeof part !== 'string' || typeof ignoreCase !== 'boolean') return undefined;
    return ignoreCase ? apply(text.toLowerCase(), part.toLowerCase()) : apply(text, part);
  });

/** A string and, second, the characters to take off instead of white space. */
const trimming = (isStart: boolean, isEnd: boolean): BuiltIn =>
  fn(1, 2, ([text, characters]) => {
    if (typeof text !== 'string' || (characters !== undefined && typeof characters !== 'string')) return undefined;
    const isTaken = (at: number) => {
      const character = text[at] ?? '';
      return characters === undefined ? /\s/.test(character) : character !== '' && characters.includes(character);
    };
    let start = 0;
    let end = text.length;
    while (isStart && start < end && isTaken(start)) start++;
    while (isEnd && end > start && isTaken(end - 1)) end--;
    return text.slice(start, end);
  });

/** What is before or after a part of a string; all of it, or nothing, where the part is not found. */
const beside = (find: (text: string, part: string) => number, isAfter: boolean): BuiltIn =>
  fn(2, 2, (args) => {
    if (!isTexts(args)) return undefined;
    const [text = '', part = ''] = args;
    const at = find(text, part);
    if (at < 0) return isAfter ? '' : text;
    return isAfter ? text.slice(at + part.length) : text.slice(0, at);
  });

const parsing = (type: ReturnType<typeof typeName>) => textual((text) => parsed(text, type));
const first = (text: string, part: string) => text.indexOf(part);
const last = (text: string, part: string) => text.lastIndexOf(part);

export const strings: BuiltIns = {
  CONTAINS: matching((text, part) => text.includes(part)),
  STARTSWITH: matching((text, part) => text.startsWith(part)),
  ENDSWITH: matching((text, part) => text.endsWith(part)),
  STRINGEQUALS: matching((text, part) => text === part),
  LOWER: textual((text) => text.toLowerCase()),
  UPPER: textual((text) => text.toUpperCase()),
  LENGTH: textual((text) => text.length),
  REVERSE: textual((text) => [...text].reverse().join('')),
  TRIM: trimming(true, true),
  LTRIM: trimming(true, false),
  RTRIM: trimming(false, true),
  CONCAT: fn(2, MANY, (args) => (isTexts(args) ? args.join('') : undefined)),
  SUBSTRING: fn(3, 3, ([text, start, length]) =>
    typeof text === 'string' && typeof start === 'number' && typeof length === 'number'
      ? text.slice(Math.max(start, 0), Math.max(start, 0) + Math.max(length, 0))
      : undefined,
  ),
  SUBSTRING_BEFORE: beside(first, false),
  SUBSTRING_AFTER: beside(first, true),
  LASTSUBSTRINGBEFORE: beside(last, false),
  LASTSUBSTRINGAFTER: beside(last, true),
  LEFT: fn(2, 2, ([text, length]) =>
    typeof text === 'string' && typeof length === 'number' ? text.slice(0, Math.max(length, 0)) : undefined,
  ),
  RIGHT: fn(2, 2, ([text, length]) =>
    typeof text === 'string' && typeof length === 'number' ? text.slice(Math.max(text.length - length, 0)) : undefined,
  ),
  INDEX_OF: fn(2, 3, ([text, part, from = 0]) =>
    typeof text === 'string' && typeof part === 'string' && typeof from === 'number'
      ? text.indexOf(part, from)
      : undefined,
  ),
  LASTINDEXOF: fn(2, 2, (args) => (isTexts(args) ? last(args[0] ?? '', args[1] ?? '') : undefined)),
  REPLACE: fn(3, 3, (args) => {
    if (!isTexts(args)) return undefined;
    const [text = '', from = '', to = ''] = args;
    return from === '' ? text : text.split(from).join(to);
  }),
  REPLICATE: fn(2, 2, ([text, times]) =>
    typeof text === 'string' && typeof times === 'number' && times >= 0 && text.length * times <= MAX_REPLICATED
      ? text.repeat(times)
      : undefined,
  ),
  STRINGJOIN: fn(2, 2, ([list, by]) =>
    Array.isArray(list) && isTexts(list) && typeof by === 'string' ? list.join(by) : undefined,
  ),
  STRINGSPLIT: fn(2, 2, (args) => (isTexts(args) ? args[0]?.split(args[1] ?? '') : undefined)),
  TOSTRING: fn(1, 1, ([value]) => (typeof value === 'string' ? value : JSON.stringify(value))),
  STRINGTONUMBER: parsing('number'),
  STRINGTOBOOLEAN: parsing('boolean'),
  STRINGTONULL: parsing('null'),
  STRINGTOARRAY: parsing('array'),
  STRINGTOOBJECT: parsing('object'),
  REGEXMATCH: fn(2, 3, ([text, pattern, flags = '']) => {
    if (typeof text !== 'string' || typeof pattern !== 'string' || typeof flags !== 'string') return undefined;
    try {
      const wanted = flags.includes('x')
        ? pattern.replaceAll(/\\.|\s+/g, (part) => (/^\s/.test(part) ? '' : part))
        : pattern;
      return new RegExp(wanted, flags.replaceAll('x', '')).test(text);
    } catch {
      return undefined;
    }
  }),
};

function parsed(text: string, type: string): Value {
  try {
    const value: unknown = JSON.parse(text);
    return typeName(value) === type ? value : undefined;
  } catch {
    return undefined;
  }
}
