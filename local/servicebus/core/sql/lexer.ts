// SQL text as tokens with their places, and the error that names a place.
import { BusError } from '../errors.ts';

export interface Token {
  kind: 'word' | 'name' | 'number' | 'text' | 'parameter' | 'sign' | 'end';
  /** As written; of names and texts what is between the quotes. */
  text: string;
  at: number;
}

const patterns: [Token['kind'] | 'space', RegExp][] = [
  ['space', /\s+/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['word', /\p{L}[_\p{L}\p{Nd}]*/uy],
  ['name', /\[(?:[^\]]|\]\])+\]/y],
  ['name', /"(?:[^"]|"")+"/y],
  ['text', /'(?:[^']|'')*'/y],
  ['parameter', /@[_\p{L}\p{Nd}]+/uy],
  ['sign', /<>|!=|<=|>=|[-+*/%=<>(),.;]/y],
];

/** Says what is wrong and where: line and column count from 1. */
export function syntaxError(source: string, at: number, problem: string): BusError {
  const before = source.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const rest = source.slice(at, at + 20);
  const place = rest === '' ? 'the end' : `'${rest}'`;
  return new BusError(
    'amqp:not-allowed',
    `The SQL expression is not valid at line ${before.length}, column ${column} (${place}): ${problem}`,
  );
}

function unquote(text: string): string {
  const close = text.at(-1) ?? '';
  return text.slice(1, -1).replaceAll(close + close, close);
}

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const [kind, text] = next(source, at);
    if (kind !== 'space') {
      tokens.push({ kind, text: kind === 'name' || kind === 'text' ? unquote(text) : text, at });
    }
    at += text.length;
  }
  return [...tokens, { kind: 'end', text: '', at }];
}

function next(source: string, at: number): [Token['kind'] | 'space', string] {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) return [kind, found];
  }
  const open: Record<string, string> = { "'": 'this text is never closed', '[': 'this name is never closed' };
  const problem = open[source[at] ?? ''] ?? 'no token begins like this; names with signs are written [in brackets].';
  throw syntaxError(source, at, problem);
}
