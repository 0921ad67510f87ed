// Request bodies: JSON or YAML, bounded in size and depth, every name once. Then zod, with a problem per field.
import type { HttpRequest } from '@azure/functions';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { problemsOf, Refused, refuse } from './problem.ts';
import { scanJson } from './scanJson.ts';

const bytesAtMost = 1024 * 1024;
const depthAtMost = 40;
const aliasesAtMost = 100;

const jsonTypes = new Set(['application/json']);
const yamlTypes = new Set(['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml']);

/** Reads and parses the body; throws what is wrong with it, field by field. An empty body is `{}` where all is optional. */
export async function readBody<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  const input = await readData(request);
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = problemsOf(parsed.error, input, namesIn(schema));
  throw refuse(
    'invalidInput',
    errors.length === 1 ? 'One field is wrong.' : `${errors.length} fields are wrong.`,
    errors,
  );
}

async function readData(request: HttpRequest): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (Number(request.headers.get('content-length') ?? 0) > bytesAtMost) throw tooLarge();
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > bytesAtMost) throw tooLarge();
  if (bytes.length === 0) return {};
  const text = decoded(bytes);
  if (jsonTypes.has(type)) return parseJson(text);
  if (yamlTypes.has(type)) return parseYaml(text);
  const accepted = [...jsonTypes, ...yamlTypes].join(', ');
  throw new Refused({
    status: 415,
    code: 'unsupportedMediaType',
    title: 'Unsupported content type',
    detail: `"${type}" is none of ${accepted}.`,
  });
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
    const document = parseDocument(text, {
      uniqueKeys: true,
      maxAliasCount: aliasesAtMost,
      prettyErrors: true,
    } as Parameters<typeof parseDocument>[1]);
    const [first] = document.errors;
    if (first !== undefined) throw refuse('invalidInput', `The body is not YAML: ${first.message}`);
    const value: unknown = document.toJS({ maxAliasCount: aliasesAtMost });
    if (isDeeper(value, depthAtMost)) throw tooDeep();
    return value;
  } catch (error) {
    if (error instanceof Refused) throw error;
    // The YAML parser recurses: what exhausts the stack is too deep.
    if (error instanceof RangeError) throw tooDeep();
    throw refuse('invalidInput', `The body is not acceptable YAML: ${(error as Error).message}`);
  }
}

/** Also true of a value that contains itself. */
function isDeeper(value: unknown, depth: number): boolean {
  let level = [value];
  for (let n = 0; level.length > 0; n++) {
    if (n > depth) return true;
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

const tooLarge = () =>
  new Refused({
    status: 413,
    code: 'tooLarge',
    title: 'The body is too large',
    detail: `At most ${bytesAtMost} bytes are read.`,
  });
const tooDeep = () => refuse('invalidInput', `The body is nested deeper than ${depthAtMost} levels.`);

const names = new WeakMap<z.ZodType, ReadonlySet<string>>();

/** Every member name that a schema knows anywhere: what a mistyped one is compared with. */
function namesIn(schema: z.ZodType): ReadonlySet<string> {
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
