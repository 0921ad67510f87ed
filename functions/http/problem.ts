// What a caller is told when a request can't be carried out: problem details, RFC 9457.
import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { type ErrorCode, MigrationError } from '../../shared/errors.ts';
import { didYouMean, type Problem, pathText, suggestionsAtMost } from '../../shared/policy/problems.ts';

export interface Refusal {
  status: number;
  code: string;
  title: string;
  detail: string;
  errors?: Problem[];
  headers?: Record<string, string>;
}

/** Thrown by handlers: becomes the answer. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}

const statuses: Partial<Record<ErrorCode, [number, string]>> = {
  invalidInput: [400, 'The request is malformed'],
  unauthenticated: [401, 'Authentication is needed'],
  forbidden: [403, 'Not allowed'],
  notFound: [404, 'Not found'],
  conflict: [409, 'The present state does not allow it'],
  preflightFailed: [422, 'The plan does not hold'],
  throttled: [429, 'Too many requests'],
  unavailable: [503, 'A service that is needed does not answer'],
  timeout: [503, 'A service that is needed does not answer'],
};

/** A refusal with one of our own codes. */
export function refuse(code: ErrorCode, detail: string, errors?: Problem[]): Refused {
  const [status, title] = statuses[code] ?? [500, 'Unexpected failure'];
  return new Refused({ status, code, title, detail, ...(errors && { errors }) });
}

/** The answer to a failed request. What is not ours to explain is logged, not told. */
export function problemOf(error: unknown, instance: string, log: (line: string) => void): HttpResponseInit {
  const { status, code, title, detail, errors, headers } = refusalOf(error, log);
  const body = { type: `urn:landfall:problem:${code}`, title, status, detail, instance, ...(errors && { errors }) };
  return { status, headers: { ...headers, 'content-type': 'application/problem+json' }, body: JSON.stringify(body) };
}

function refusalOf(error: unknown, log: (line: string) => void): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (!(error instanceof MigrationError)) {
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { status: 500, code: 'unexpected', title: 'Unexpected failure', detail: 'The log says more.' };
  }
  const { code, message, suggestion, retryAfterSeconds, detail } = error.failure;
  // An SDK's refusal of our own identity is not the caller's lack of a role.
  const foreign = detail !== undefined && (code === 'forbidden' || code === 'notFound' || code === 'conflict');
  const [status, title] = foreign
    ? [503, 'A service that is needed does not answer']
    : (statuses[code] ?? [500, 'Unexpected failure']);
  if (status >= 500) log(`${code}: ${message} (${detail ?? ''})`);
  const headers =
    retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(retryAfterSeconds)) } };
  return { status, code, title, detail: `${message} ${suggestion}`, ...headers };
}

/** Every issue of a failed parse as a problem with its path, the value found and what would do. */
export function problemsOf(error: z.ZodError, input: unknown, names: ReadonlySet<string>): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, input, names));
}

function problemsOfIssue(issue: z.core.$ZodIssue, input: unknown, names: ReadonlySet<string>): Problem[] {
  const value = valueAt(input, issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key, index) => {
      const meant = index < suggestionsAtMost ? didYouMean(key, names) : undefined;
      const fix = meant === undefined ? 'remove it' : `did you mean "${meant}"?`;
      return {
        path: pathText([...issue.path, key]),
        value: valueAt(value, [key]),
        message: `"${key}" is not known here`,
        fix,
      };
    });
  // A name that may not be, such as a tag's: what is wrong with it says more than that it is wrong.
  if (issue.code === 'invalid_key')
    return issue.issues.flatMap((inner) => problemsOfIssue({ ...inner, path: issue.path }, input, names));
  const meant = issue.code === 'invalid_union' ? issue.errors.find(isOfTheRightKind) : undefined;
  if (meant !== undefined)
    return meant.flatMap((inner) => problemsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, input, names));
  return [
    {
      path: pathText(issue.path),
      value,
      message: value === undefined ? 'is missing' : issue.message,
      fix: fixFor(issue),
    },
  ];
}

/** Of several forms, the one that was meant: what is wrong lies inside of it. */
function isOfTheRightKind(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.length > 0 && issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0);
}

function fixFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `give ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
    case 'invalid_value':
      return `use ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return `give at least ${issue.minimum}${issue.origin === 'number' || issue.origin === 'int' ? '' : ` in ${issue.origin}`}`;
    case 'too_big':
      return `give at most ${issue.maximum}${issue.origin === 'number' || issue.origin === 'int' ? '' : ` in ${issue.origin}`}`;
    case 'invalid_union':
      return 'discriminator' in issue && issue.discriminator !== undefined
        ? `choose one of the known values of "${String(issue.discriminator)}"`
        : 'give one of the allowed forms';
    default:
      return issue.message;
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part],
    input,
  );
}

const names = new WeakMap<z.ZodType, ReadonlySet<string>>();

/** Every member name that a schema knows anywhere: what a mistyped one is compared with. */
export function namesIn(schema: z.ZodType): ReadonlySet<string> {
  const before = names.get(schema);
  if (before !== undefined) return before;
  const found = new Set<string>();
  JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), (key, value: unknown) => {
    if (key === 'properties' && value !== null && typeof value === 'object')
      for (const name of Object.keys(value)) found.add(name);
    return value;
  });
  names.set(schema, found);
  return found;
}
