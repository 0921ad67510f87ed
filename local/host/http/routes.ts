// Route templates of HTTP triggers, as in ASP.NET routing: literals, `{name}`, `{name?}`, `{name=value}`, `{*rest}` and
// constraints (https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints).

export interface Route<T> {
  template: string;
  methods: ReadonlySet<string>;
  target: T;
  pattern: RegExp;
  names: string[];
  defaults: Record<string, string>;
  /** Compared segment by segment: the more specific route wins. */
  rank: string;
}

export interface Match<T> {
  route: Route<T>;
  params: Record<string, string>;
}

const constraints: Record<string, (argument: string) => string> = {
  int: () => '-?\\d{1,10}',
  long: () => '-?\\d{1,19}',
  guid: () => '[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}',
  alpha: () => '[a-zA-Z]+',
  bool: () => '(?:true|false|True|False)',
  decimal: () => '-?\\d+(?:\\.\\d+)?',
  length: (argument) => `[^/]{${argument}}`,
  minlength: (argument) => `[^/]{${argument},}`,
  maxlength: (argument) => `[^/]{0,${argument}}`,
  regex: (argument) =>
    `(?:${argument
      .replace(/^\^|\$$/g, '')
      .replaceAll('{{', '{')
      .replaceAll('}}', '}')})`,
};

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Compiles a template; `where` names the function in errors. */
export function compileRoute<T>(template: string, methods: Iterable<string>, target: T, where: string): Route<T> {
  const names: string[] = [];
  const defaults: Record<string, string> = {};
  let pattern = '';
  let rank = '';
  for (const segment of template.split('/').filter(Boolean)) {
    const parts = segment.match(/\{[^{}]*(?:\{\{.*?\}\}[^{}]*)*\}|[^{}]+/g) ?? [];
    let body = '';
    let optional = false;
    let weight = '1';
    for (const part of parts) {
      if (!part.startsWith('{')) {
        body += escaped(part);
        continue;
      }
      const parameter = parseParameter(part, where);
      if (names.includes(parameter.name))
        throw new Error(`${where}: the route "${template}" names {${parameter.name}} twice.`);
      names.push(parameter.name);
      if (parameter.default !== undefined) defaults[parameter.name] = parameter.default;
      optional ||= parameter.optional;
      weight = parameter.catchAll ? '5' : parts.length > 1 ? '2' : parameter.constrained ? '3' : '4';
      body += `(${parameter.pattern})`;
    }
    rank += weight;
    pattern += optional ? `(?:/${body})?` : `/${body}`;
  }
  return {
    template,
    methods: new Set(methods),
    target,
    names,
    defaults,
    rank,
    pattern: new RegExp(`^${pattern}/?$`, 'i'),
  };
}

function parseParameter(part: string, where: string) {
  const match = /^\{(\*{0,2})([A-Za-z_][\w-]*)((?::[A-Za-z]+(?:\(.*?\))?)*)(=[^}?]*)?(\?)?\}$/.exec(part);
  if (!match) throw new Error(`${where}: the route parameter ${part} is not understood.`);
  const [, star = '', name = '', suffix = '', value, question] = match;
  const patterns: string[] = [];
  for (const [, kind = '', , argument = ''] of suffix.matchAll(/:([A-Za-z]+)(\((.*?)\))?(?=:|$)/g)) {
    const constraint = constraints[kind.toLowerCase()];
    if (!constraint) throw new Error(`${where}: the route constraint ":${kind}" is not supported.`);
    patterns.push(constraint(argument));
  }
  const own = patterns.at(-1) ?? '[^/]+';
  const ahead = patterns.slice(0, -1).map((other) => `(?=${other}(?:/|$))`);
  const catchAll = star !== '';
  return {
    name,
    catchAll,
    constrained: patterns.length > 0,
    optional: question === '?' || value !== undefined || catchAll,
    default: value?.slice(1),
    pattern: catchAll ? '.*' : ahead.join('') + own,
  };
}

/** All routes whose template fits the path, best first. */
export function matchRoutes<T>(routes: readonly Route<T>[], path: string): Match<T>[] {
  const matches: Match<T>[] = [];
  for (const route of routes) {
    const found = route.pattern.exec(path);
    if (!found) continue;
    const params: Record<string, string> = { ...route.defaults };
    route.names.forEach((name, index) => {
      const value = found[index + 1];
      if (value !== undefined && value !== '') params[name] = decode(value);
    });
    matches.push({ route, params });
  }
  return matches.sort((a, b) => (a.route.rank < b.route.rank ? -1 : a.route.rank > b.route.rank ? 1 : 0));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
