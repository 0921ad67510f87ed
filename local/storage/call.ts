// One request, taken apart, and one answer.
import type { IncomingMessage } from 'node:http';
import type { Access } from './auth.ts';
import type { BlobName, Store } from './catalogue.ts';
import { StorageError } from './errors.ts';
import type { Range } from './extents.ts';

export interface Call {
  store: Store;
  request: IncomingMessage;
  method: string;
  url: URL;
  query: URLSearchParams;
  account: string;
  container: string;
  /** Empty for an operation on a container or the account. */
  blob: string;
  snapshot: string;
  access: Access;
  /** Checks a copy source's URL by its own signature. */
  checkSource(url: URL): Access;
  /** `https://localhost:port` */
  endpoint: string;
  delegationSecret: Buffer;
}

export interface Answer {
  status: number;
  headers?: Record<string, string | number | undefined>;
  /** Pieces are lent until the next one is asked for. */
  body?: string | AsyncIterable<Buffer>;
}

export const PAGE = 512;

export function nameOf({ account, container, blob }: Call): BlobName {
  return { account, container, name: blob };
}

export function header({ request }: Call, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

export function requireHeader(call: Call, name: string): string {
  const value = header(call, name);
  if (value === undefined) throw new StorageError('MissingRequiredHeader', `The header ${name} is missing.`);
  return value;
}

/** A header that must be a whole number, not negative. */
export function numberHeader(call: Call, name: string): number | undefined {
  const text = header(call, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new StorageError('InvalidHeaderValue', `The header ${name} is not a number.`);
  return Number(text);
}

/** `x-ms-range` or `range`, with an exclusive end; undefined where there is none. */
export function rangeOf(call: Call): { start: number; stop: number | undefined } | undefined {
  const text = header(call, 'x-ms-range') ?? header(call, 'range');
  if (text === undefined) return undefined;
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(text) ?? [];
  if (first === undefined)
    throw new StorageError('InvalidHeaderValue', 'The range header has another form than bytes=a-b.');
  const stop = last === undefined ? undefined : Number(last) + 1;
  if (stop !== undefined && stop <= Number(first)) throw new StorageError('InvalidRange', 'The range is empty.');
  return { start: Number(first), stop };
}

/** The given range cut to the blob's size; the whole blob where none is given. */
export function rangeWithin(call: Call, size: number): Range {
  const range = rangeOf(call);
  if (!range) return { start: 0, stop: size };
  if (range.start >= size) {
    throw new StorageError('InvalidRange', 'The range begins beyond the end of the blob.', {
      'content-range': `bytes */${size}`,
    });
  }
  return { start: range.start, stop: Math.min(range.stop ?? size, size) };
}

/** `x-ms-meta-*`, with the names in the case in which they were sent. */
export function metadataOf({ request }: Call): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    if (/^x-ms-meta-/i.test(name)) metadata[name.slice('x-ms-meta-'.length)] = request.rawHeaders[index + 1] ?? '';
  }
  return metadata;
}

export function metadataHeaders(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]));
}

const contentHeaders = ['type', 'encoding', 'language', 'md5', 'disposition'].map((name) => `content-${name}`);

/** The `x-ms-blob-content-*` and `x-ms-blob-cache-control` headers under the names in which they are answered. */
export function contentHeadersOf(call: Call): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of [...contentHeaders, 'cache-control']) {
    const value = header(call, `x-ms-blob-${name}`);
    if (value) found[name] = value;
  }
  return found;
}
