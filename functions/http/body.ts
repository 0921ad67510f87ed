// Request bodies: JSON or YAML, bounded in size and depth, every name once. Then zod, with a problem per field.
import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { namesIn, problemsOf, Refused, refuse } from './problem.ts';
import { readYaml, YamlFault } from './readYaml.ts';
import { scanJson } from './scanJson.ts';

const bytesAtMost = 1024 * 1024;
/** For the definition of a wave as JSON: ten thousand workloads with settings of their own. */
export const waveBytesAtMost = 16 * 1024 * 1024;
/** The YAML parser takes seconds for a megabyte, so it gets less. */
const yamlBytesAtMost = 256 * 1024;
/** What anybody may send before it is known who it is. */
const strangersBytesAtMost = 16 * 1024;
const depthAtMost = 40;

const jsonTypes = new Set(['application/json']);
const yamlTypes = new Set(['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml']);

/** Reads and parses the body; throws what is wrong with it, field by field. An empty body is `{}`. */
export async function readBody<T>(request: HttpRequest, schema: z.ZodType<T>, atMost = bytesAtMost): Promise<T> {
  const { type, bytes } = await readBytes(request, atMost);
  if (bytes.length === 0) return checked({}, schema);
  if (jsonTypes.has(type)) return checked(parseJson(decoded(bytes)), schema);
  if (!yamlTypes.has(type)) throw unsupported(type, [...jsonTypes, ...yamlTypes]);
  if (bytes.length > yamlBytesAtMost) throw tooLarge(yamlBytesAtMost, ' as YAML; send more as JSON');
  return checked(parseYaml(decoded(bytes)), schema);
}

/** Reads a body that a path names, too: its id may be left out and never differs from the path's. */
export async function readNamed<T extends { id: string }>(
  request: HttpRequest,
  schema: z.ZodType<T>,
  id: string,
  atMost = bytesAtMost,
): Promise<T> {
  const withId = z.preprocess(
    (body) => (body !== null && typeof body === 'object' && !('id' in body) ? { ...body, id } : body),
    schema,
  );
  const value = await readBody(request, withId, atMost);
  if (value.id === id) return value;
  const fix = 'use one id, or leave it out of the body';
  throw refuse('invalidInput', 'Path and body name different things.', [
    { path: 'id', value: value.id, message: `the path says "${id}"`, fix },
  ]);
}

/** Reads a body of a caller who is not known yet: little, and JSON only. */
export async function readStrangersBody<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  const { type, bytes } = await readBytes(request, strangersBytesAtMost);
  if (!jsonTypes.has(type)) throw unsupported(type, [...jsonTypes]);
  return checked(parseJson(decoded(bytes)), schema);
}

/** Reads a text of one type. */
export async function readText(request: HttpRequest, expected: string, atMost: number): Promise<string> {
  const { type, bytes } = await readBytes(request, atMost);
  if (type !== expected) throw unsupported(type, [expected]);
  return decoded(bytes);
}

function checked<T>(input: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = problemsOf(parsed.error, input, namesIn(schema));
  throw refuse(
    'invalidInput',
    errors.length === 1 ? 'One field is wrong.' : `${errors.length} fields are wrong.`,
    errors,
  );
}

async function readBytes(request: HttpRequest, atMost: number): Promise<{ type: string; bytes: Uint8Array }> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (Number(request.headers.get('content-length') ?? 0) > atMost) throw tooLarge(atMost);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > atMost) throw tooLarge(atMost);
  return { type, bytes };
}

function unsupported(type: string, accepted: readonly string[]): Refused {
  const detail = `"${type}" is none of ${accepted.join(', ')}.`;
  return new Refused({ status: 415, code: 'unsupportedMediaType', title: 'Unsupported content type', detail });
}

function parseJson(text: string): unknown {
  const fault = scanJson(text, depthAtMost);
  if (fault?.fault === 'deep') throw tooDeep();
  try {
    const value: unknown = JSON.parse(text);
    if (fault !== undefined) throw refuse('invalidInput', `The name "${fault.name}" comes twice in one object.`);
    return value;
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw refuse('invalidInput', `The body is not JSON: ${(error as Error).message}`);
  }
}

function parseYaml(text: string): unknown {
  try {
    const value = readYaml(text, depthAtMost);
    if (isDeeper(value, depthAtMost)) throw tooDeep();
    return value;
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    if (error.fault === 'deep') throw tooDeep();
    throw refuse('invalidInput', `The body is not acceptable YAML: ${error.message}`);
  }
}

/** Also true of a value that contains itself. */
function isDeeper(value: unknown, depth: number): boolean {
  let level = [value];
  for (let n = 0; level.length > 0; n++) {
    if (n >= depth) return true;
    level = [
      ...new Set(level.flatMap((each) => (each !== null && typeof each === 'object' ? Object.values(each) : []))),
    ].filter((each) => typeof each === 'object');
  }
  return false;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse('invalidInput', 'The body is not UTF-8.');
  }
}

const tooLarge = (atMost: number, more = '') =>
  new Refused({
    status: 413,
    code: 'tooLarge',
    title: 'The body is too large',
    detail: `At most ${atMost} bytes are read${more}.`,
  });
const tooDeep = () => refuse('invalidInput', `The body is nested deeper than ${depthAtMost} levels.`);
