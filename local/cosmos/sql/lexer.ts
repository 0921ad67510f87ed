// Cosmos SQL text as tokens.
import { badRequest } from '../errors.ts';
import type { Span } from './ast.ts';

export interface Token extends Span {
  kind: 'name' | 'number' | 'string' | 'parameter' | 'symbol' | 'end';
  text: string;
}

const TOKEN =
  /(?<space>\s+|--[^\n]*)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_][A-Za-z_0-9]*)|(?<parameter>@[A-Za-z_0-9]+)|(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<symbol><>|<<|>>>|>>|!=|<=|>=|\|\||\?\?|[-+*/%&|^~=<>!?:.,()[\]{}])/sy;

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found?.groups) throw syntaxError(text, { start, end: start + 1 });
    const [kind, matched] = Object.entries(found.groups).find(([, value]) => value !== undefined) ?? [];
    if (kind === undefined || kind === 'space' || matched === undefined) continue;
    tokens.push({ kind: kind as Token['kind'], text: matched, start, end: start + matched.length });
  }
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
  return tokens;
}

/** The value of a quoted literal: backslash escapes as in JSON. */
export function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, letter: string) =>
      code === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
    );
}

/** 400 in the service's form, with the place in the text. */
export function queryError(code: string, message: string, { start, end }: Span) {
  const errors = [{ severity: 'Error', location: { start, end }, code, message }];
  return badRequest(`Message: ${JSON.stringify({ errors })}`);
}

export function syntaxError(text: string, span: Span) {
  const near = text.slice(span.start, span.end) || 'end of query';
  return queryError('SC1001', `Syntax error, incorrect syntax near '${near}'.`, span);
}
