// Route templates of HTTP triggers, as in ASP.NET routing: literals, `{name}`, `{name?}`, `{name=value}`, `{*rest}`,
// `{**rest}` and constraints (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates). A path is
// matched segment by segment, in time that grows with its length, whatever it holds.
import { parseTemplate, type Parameter, type Segment } from './template.ts';

export interface Route<T> {
  template: string;
  methods: ReadonlySet<string>;
  target: T;
  segments: Segment[];
  /** Compared segment by segment: the more specific route wins. */
  rank: string;
}

export interface Match<T> {
  route: Route<T>;
  params: Record<string, string>;
}

/** Compiles a template; `where` names the function in errors. */
export function compileRoute<T>(template: string, methods: Iterable<string>, target: T, where: string): Route<T> {
  const segments = parseTemplate(template, where);
  return { template, methods: new Set(methods), target, segments, rank: segments.map(weight).join('') };
}

function weight({ parts, catchAll }: Segment): string {
  const [first] = parts;
  if (catchAll) return catchAll.tests.length > 0 ? '5' : '6';
  if (parts.length > 1) return '2';
  if (first === undefined || 'literal' in first) return '1';
  return first.tests.length > 0 ? '3' : '4';
}

/** All routes whose template fits the path (still percent-encoded), best first. */
export function matchRoutes<T>(routes: readonly Route<T>[], path: string): Match<T>[] {
  const segments = path.replace(/^\//, '').split('/').map(decodeSegment);
  const matches: Match<T>[] = [];
  for (const route of routes) {
    const params = matchSegments(route.segments, segments);
    if (params) matches.push({ route, params });
  }
  return matches.sort((a, b) => (a.route.rank < b.route.rank ? -1 : a.route.rank > b.route.rank ? 1 : 0));
}

function matchSegments(template: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  const take = (parameter: Parameter, value: string | undefined): boolean => {
    const taken = value === undefined || value === '' ? parameter.default : value;
    if (taken === undefined) return parameter.isOptional;
    params[parameter.name] = taken;
    return parameter.tests.every((test) => test(taken));
  };
  // A slash at the end is no segment, except in what a catch-all takes.
  const length = path.at(-1) === '' ? path.length - 1 : path.length;
  for (const [index, { parts, catchAll }] of template.entries()) {
    if (catchAll) return take(catchAll, path.slice(index).join('/')) ? params : undefined;
    const [first] = parts;
    const text = index < length ? path[index] : undefined;
    if (text === undefined) {
      if (parts.length !== 1 || !first || 'literal' in first || !take(first, undefined)) return undefined;
      continue;
    }
    const values = matchParts(parts, text);
    if (!values?.every(([parameter, value]) => take(parameter, value))) return undefined;
  }
  return length <= template.length ? params : undefined;
}

/** From right to left: each literal where it occurs last, so that no combination has to be tried again. */
function matchParts(parts: Segment['parts'], text: string): [Parameter, string][] | undefined {
  const last = parts.at(-1);
  if (parts.length > 1 && last && 'name' in last && last.isOptional) {
    const whole = matchParts([...parts.slice(0, -1), { ...last, isOptional: false }], text);
    return whole ?? matchParts(parts.slice(0, -2), text);
  }
  const folded = fold(text);
  const values: [Parameter, string][] = [];
  let end = text.length;
  let open: Parameter | undefined;
  for (const [index, part] of [...parts.entries()].reverse()) {
    if ('name' in part) {
      open = part;
      continue;
    }
    const literal = fold(part.literal);
    const at = index === 0 ? 0 : open ? folded.lastIndexOf(literal, end - literal.length - 1) : end - literal.length;
    const after = at + literal.length;
    if (at < 0 || !folded.startsWith(literal, at) || (open ? after >= end : after !== end)) return undefined;
    if (open) values.push([open, text.slice(after, end)]);
    open = undefined;
    end = at;
  }
  if (open) values.push([open, text.slice(0, end)]);
  return (open ? end > 0 : end === 0) ? values : undefined;
}

const fold = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Decodes a part of a path. `%2F` stays, as in the path that Kestrel hands on; so does what is no UTF-8. */
export function decodeSegment(text: string): string {
  return text.replaceAll(/(?:%(?!2f)[\da-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}
