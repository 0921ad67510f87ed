// Reads a route template. What it cannot mean exactly is refused when the function is registered.
import { ConstraintError, makeConstraint } from './constraints.ts';

export interface Parameter {
  name: string;
  /** May be absent. */
  isOptional: boolean;
  default: string | undefined;
  tests: ((value: string) => boolean)[];
}

export interface Segment {
  /** No two parameters stand side by side. */
  parts: ({ literal: string } | Parameter)[];
  /** Set when the segment takes the rest of the path. */
  catchAll?: Parameter;
}

/** The segments of a template; `where` names the function in errors. */
export function parseTemplate(template: string, where: string): Segment[] {
  const refuse = (problem: string) => new Error(`${where}: the route "${template}" ${problem}.`);
  const names = new Set<string>();
  const segments = splitSegments(template).map((text) => {
    const segment: Segment = { parts: [] };
    for (const piece of text.match(/\{(?:[^{}]|\{\{|\}\})*\}(?!\})|(?:[^{}]|\{\{|\}\})+|[{}]/g) ?? []) {
      if (!piece.startsWith('{') || piece.startsWith('{{')) {
        if (piece === '}') throw refuse('has a } that closes nothing');
        segment.parts.push({ literal: piece.replaceAll('{{', '{').replaceAll('}}', '}') });
        continue;
      }
      const { parameter, isCatchAll } = parseParameter(piece, where);
      if (names.has(parameter.name.toLowerCase())) throw refuse(`names {${parameter.name}} twice`);
      names.add(parameter.name.toLowerCase());
      const before = segment.parts.at(-1);
      if (before && 'name' in before) throw refuse(`has {${before.name}} and {${parameter.name}} side by side`);
      if (isCatchAll) segment.catchAll = parameter;
      segment.parts.push(parameter);
    }
    if (segment.catchAll && segment.parts.length > 1) throw refuse('has a catch-all that is no segment of its own');
    return segment;
  });
  checkOrder(segments, refuse);
  return segments;
}

function checkOrder(segments: Segment[], refuse: (problem: string) => Error): void {
  for (const [index, { parts, catchAll }] of segments.entries()) {
    if (catchAll && index < segments.length - 1) throw refuse(`has more after {*${catchAll.name}}`);
    const optional = parts.findIndex((part) => 'name' in part && part.default === undefined && part.isOptional);
    if (optional < 0 || catchAll) continue;
    const later = segments.slice(index + 1).flatMap((segment) => segment.parts);
    if (optional < parts.length - 1 || later.some((part) => !('name' in part) || !part.isOptional))
      throw refuse('has an optional parameter before a part that must be there');
    const before = parts[optional - 1];
    if (before && (!('literal' in before) || before.literal !== '.'))
      throw refuse('has an optional parameter inside a segment; only a dot may stand before it');
  }
}

/** Splits at slashes outside braces: a regular expression may hold one. */
function splitSegments(template: string): string[] {
  const segments = [''];
  let depth = 0;
  for (const character of template) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '/' && depth === 0) segments.push('');
    else segments[segments.length - 1] += character;
  }
  return segments.filter(Boolean);
}

function parseParameter(piece: string, where: string): { parameter: Parameter; isCatchAll: boolean } {
  const inner = piece.slice(1, -1).replaceAll('{{', '{').replaceAll('}}', '}');
  const head = /^(\*{0,2})([A-Za-z_][\w-]*)/.exec(inner);
  const misread = new Error(`${where}: the route parameter ${piece} is not understood.`);
  if (!head) throw misread;
  const [start, star = '', name = ''] = head;
  const tests: Parameter['tests'] = [];
  let rest = inner.slice(start.length);
  while (rest.startsWith(':')) {
    const kind = /^:([A-Za-z]+)/.exec(rest)?.[1];
    if (kind === undefined) throw misread;
    const argument = argumentOf(rest.slice(kind.length + 1));
    if (argument === null) throw misread;
    tests.push(constraint(kind, argument, where));
    rest = rest.slice(kind.length + 1 + (argument === undefined ? 0 : argument.length + 2));
  }
  const tail = /^(?:=([^?]*)|(\?))?$/.exec(rest);
  if (!tail) throw misread;
  const isCatchAll = star !== '';
  const isOptional = tail[2] !== undefined || tail[1] !== undefined || isCatchAll;
  return { parameter: { name, isOptional, default: tail[1], tests }, isCatchAll };
}

/** What stands in the brackets at the start; undefined without brackets, null when they do not close. */
function argumentOf(text: string): string | undefined | null {
  if (!text.startsWith('(')) return undefined;
  // A bracket inside of a pattern does not count: the one that ends it stands before a constraint or the tail.
  const end = /\)(?=:[A-Za-z]|=|\??$)/.exec(text);
  return end ? text.slice(1, end.index) : null;
}

function constraint(kind: string, argument: string | undefined, where: string): (value: string) => boolean {
  try {
    const test = makeConstraint(kind.toLowerCase(), argument);
    if (test) return test;
  } catch (error) {
    if (error instanceof ConstraintError)
      throw new Error(`${where}: the route constraint ":${kind}(${argument ?? ''})" ${error.message}.`, {
        cause: error,
      });
    throw error;
  }
  throw new Error(`${where}: the route constraint ":${kind}" is not supported.`);
}
