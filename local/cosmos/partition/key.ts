// Partition keys: their definition, the header that carries them, and the values inside a document.
import { badRequest } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import { hashV1, hashV2, type KeyPart } from './hash.ts';

export interface PartitionKeyDefinition {
  paths: string[];
  kind?: 'Hash' | 'MultiHash';
  version?: number;
}

/** A partition key (or the leading levels of a hierarchical one) with its place in the hash range. */
export interface PartitionKey {
  parts: KeyPart[];
  /** Canonical text, which tells apart what the hash may not. */
  text: string;
  epk: string;
  isPrefix: boolean;
}

export interface EpkRange {
  min: string;
  max: string;
  /** The key, or its leading levels, whose range this is. */
  key?: PartitionKey;
}

/** Checks a definition as the service does at creation; throws 400. */
export function parsePartitionKeyDefinition(value: unknown): PartitionKeyDefinition {
  const paths = member(value, 'paths');
  const kind = member(value, 'kind') ?? 'Hash';
  const version = member(value, 'version') ?? (kind === 'MultiHash' ? 2 : 1);
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string' && path.startsWith('/'))) {
    throw badRequest('The partition key needs `paths`: a list of property paths that start with "/".');
  }
  if (kind !== 'Hash' && kind !== 'MultiHash') throw badRequest(`Partition key kind ${String(kind)} is unknown.`);
  if (version !== 1 && version !== 2) throw badRequest(`Partition key version ${String(version)} is unknown.`);
  if (kind === 'Hash' ? paths.length !== 1 : paths.length < 1 || paths.length > 3 || version !== 2) {
    throw badRequest('A Hash key has one path; a MultiHash key has one to three paths and version 2.');
  }
  return { paths: paths.map(String), kind, version };
}

export function makeKey(definition: PartitionKeyDefinition, parts: KeyPart[]): PartitionKey {
  if (parts.length === 0 || parts.length > definition.paths.length) {
    throw badRequest('The partition key supplied does not fit the container: wrong number of values.', 1001);
  }
  const text = textOf(parts);
  return { parts, text, epk: epkOf(definition, parts, text), isPrefix: parts.length < definition.paths.length };
}

/** Hashing takes longer than all else about a key, and the same keys come again. */
function epkOf({ version }: PartitionKeyDefinition, parts: KeyPart[], text: string): string {
  const name = `${version}${text}`;
  const known = hashed.get(name);
  if (known !== undefined) return known;
  const epk = parts.map(version === 2 ? hashV2 : hashV1).join('');
  if (hashed.size >= MAX_HASHED) hashed.clear();
  hashed.set(name, epk);
  return epk;
}
const hashed = new Map<string, string>();
const MAX_HASHED = 10_000;

const textOf = (parts: KeyPart[]) => JSON.stringify(parts.map((part) => (part === undefined ? {} : part)));

/** Reads `x-ms-documentdb-partitionkey`: a JSON array in which `{}` stands for "undefined". */
export function parseKeyHeader(definition: PartitionKeyDefinition, header: string): PartitionKey {
  let values: unknown;
  try {
    values = JSON.parse(header);
  } catch {
    throw badRequest('The partition key header is not JSON.');
  }
  if (!Array.isArray(values)) throw badRequest('The partition key header must be a JSON array.');
  return makeKey(definition, values.length === 0 ? definition.paths.map(() => undefined) : values.map(keyPart));
}

export function keyOfDocument(definition: PartitionKeyDefinition, document: JsonObject): PartitionKey {
  return makeKey(definition, partsOf(definition, document));
}

export function isKeyOf(definition: PartitionKeyDefinition, document: JsonObject, key: PartitionKey): boolean {
  return textOf(partsOf(definition, document)) === key.text;
}

function partsOf({ paths }: PartitionKeyDefinition, document: JsonObject): KeyPart[] {
  return paths.map((path) => {
    let value: Json | undefined = document;
    for (const name of pathNames(path)) value = member(value, name);
    return keyPart(value);
  });
}

/** The part of the hash range in which every document of a key (or of a key prefix) lies. */
export function rangeOfKey(key: PartitionKey): EpkRange {
  return { min: key.epk, max: `${key.epk}FF`, key };
}

export function intersection(left: EpkRange | undefined, right: EpkRange | undefined): EpkRange | undefined {
  if (!left || !right) return left ?? right;
  // Hexadecimal text: sorted as text.
  const [, min = ''] = [left.min, right.min].sort();
  const [max = ''] = [left.max, right.max].sort();
  return [left, right].find((range) => range.key && range.min === min && range.max === max) ?? { min, max };
}

/** `/a/"b c"/d` as names. */
export function pathNames(path: string): string[] {
  const plain = path.slice(1);
  if (!/["/]/.test(plain)) return [plain];
  return [...path.matchAll(/\/(?:"([^"]*)"|([^/]*))/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

function keyPart(value: unknown): KeyPart {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value === undefined || (isJsonObject(value) && Object.keys(value).length === 0)) return undefined;
  throw badRequest('A partition key value must be a string, a number, a boolean or null.', 1001);
}
