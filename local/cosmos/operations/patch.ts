// Partial updates: add, set, replace, remove, incr and move on JSON paths, with an optional condition in Cosmos SQL.
// https://learn.microsoft.com/azure/cosmos-db/partial-document-update
import { badRequest, notFound, preconditionFailed } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import type { PartitionKey } from '../partition/key.ts';
import { pathNames } from '../partition/key.ts';
import { matches } from '../sql/execute.ts';
import { parseCondition } from '../sql/parser.ts';
import type { Transaction } from '../store/store.ts';
import { checkItem, checkMatch, liveItem, type Outcome, overwrite, type Preconditions } from './items.ts';

const MAX_OPERATIONS = 10;
const SYSTEM = new Set(['id', '_rid', '_self', '_etag', '_attachments', '_ts']);

export function patchItem(
  transaction: Transaction,
  key: PartitionKey,
  id: string,
  patch: unknown,
  when: Preconditions,
): Outcome {
  const operations = Array.isArray(patch) ? patch : member(patch, 'operations');
  if (!Array.isArray(operations) || operations.length === 0) throw badRequest('A patch needs a list of operations.');
  if (operations.length > MAX_OPERATIONS) throw badRequest(`A patch has at most ${MAX_OPERATIONS} operations.`);
  const existing = liveItem(transaction, key, id);
  if (!existing) throw notFound();
  checkMatch(existing, when);
  const document: unknown = JSON.parse(existing.body);
  if (!isJsonObject(document)) throw notFound();

  const condition = member(patch, 'condition');
  if (typeof condition === 'string' && !matches(parseCondition(condition), document)) {
    throw preconditionFailed('The condition of the patch does not hold.');
  }
  const immutable = new Set(transaction.container.partitionKey.paths.map((path) => pathNames(path)[0]));
  for (const operation of operations) applyOperation(document, operation, immutable);
  checkItem(transaction.container, key, document);
  return overwrite(transaction, key, existing, document, 'replace');
}

function applyOperation(document: JsonObject, operation: unknown, immutable: Set<string | undefined>): void {
  const op = member(operation, 'op');
  const path = member(operation, 'path');
  if (typeof op !== 'string' || typeof path !== 'string') throw badRequest('A patch operation needs op and path.');
  const names = pointer(path, immutable);
  const value = member(operation, 'value');
  switch (op.toLowerCase()) {
    case 'add':
      put(document, names, required(value, path), 'insert');
      break;
    case 'set':
      put(document, names, required(value, path), 'set');
      break;
    case 'replace':
      if (read(document, names) === undefined) throw missing(path);
      put(document, names, required(value, path), 'set');
      break;
    case 'remove':
      remove(document, names, path);
      break;
    case 'incr':
    case 'increment':
      increment(document, names, value, path);
      break;
    case 'move': {
      const from = member(operation, 'from');
      const source = pointer(typeof from === 'string' ? from : '', immutable);
      const moved = read(document, source);
      if (moved === undefined) throw missing(String(from));
      remove(document, source, String(from));
      put(document, names, moved, 'insert');
      break;
    }
    default:
      throw badRequest(`Patch operation "${op}" is unknown.`);
  }
}

function pointer(path: string, immutable: Set<string | undefined>): string[] {
  if (!path.startsWith('/')) throw badRequest(`Patch path "${path}" must start with "/".`);
  const names = path
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const [first] = names;
  if (first === undefined || SYSTEM.has(first) || immutable.has(first)) {
    throw badRequest(`Patch path "${path}" names a property that cannot be changed.`);
  }
  return names;
}

function read(document: JsonObject, names: string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const name of names) value = Array.isArray(value) ? value[indexOf(name)] : member(value, name);
  return value;
}

function parent(document: JsonObject, names: string[]): { holder: JsonObject | Json[]; name: string } {
  const holder = read(document, names.slice(0, -1));
  const path = `/${names.join('/')}`;
  if (!Array.isArray(holder) && !isJsonObject(holder)) throw missing(path);
  return { holder, name: names.at(-1) ?? '' };
}

function put(document: JsonObject, names: string[], value: Json, mode: 'insert' | 'set'): void {
  const { holder, name } = parent(document, names);
  if (!Array.isArray(holder)) {
    Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
    return;
  }
  const at = name === '-' ? holder.length : indexOf(name);
  if (!(at >= 0 && at <= holder.length)) throw missing(`/${names.join('/')}`);
  holder.splice(at, mode === 'insert' ? 0 : 1, value);
}

function remove(document: JsonObject, names: string[], path: string): void {
  if (read(document, names) === undefined) throw missing(path);
  const { holder, name } = parent(document, names);
  if (Array.isArray(holder)) holder.splice(indexOf(name), 1);
  else delete holder[name];
}

function increment(document: JsonObject, names: string[], by: Json | undefined, path: string): void {
  const current = read(document, names) ?? 0;
  if (typeof by !== 'number' || typeof current !== 'number') {
    throw badRequest(`Patch increment needs numbers at "${path}".`);
  }
  put(document, names, current + by, 'set');
}

function required(value: Json | undefined, path: string): Json {
  if (value === undefined) throw badRequest(`The patch operation on "${path}" needs a value.`);
  return value;
}

const indexOf = (name: string) => (/^(0|[1-9]\d*)$/.test(name) ? Number(name) : -1);
const missing = (path: string) => badRequest(`The path "${path}" of a patch operation does not exist in the item.`);
