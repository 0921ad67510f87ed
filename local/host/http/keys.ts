// Function keys. One host key, from the setting FUNCTIONS_KEY or made at the first start, opens every function; the
// durable system key opens only the webhook API.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const newKey = (): string => randomBytes(32).toString('base64url');

/** Compares in constant time. */
export function isKey(expected: string, given: string | null | undefined): boolean {
  return typeof given === 'string' && timingSafeEqual(digest(expected), digest(given));
}

/** The key that a request carries: header `x-functions-key` or query `code`. */
export function givenKey(request: IncomingMessage, url: URL): string | null {
  const header = request.headers['x-functions-key'];
  return typeof header === 'string' ? header : url.searchParams.get('code');
}

export class Keys {
  readonly hostKey: string;

  constructor(hostKey: string) {
    this.hostKey = hostKey;
  }

  allows(authLevel: 'anonymous' | 'function' | 'admin', request: IncomingMessage, url: URL): boolean {
    return authLevel === 'anonymous' || isKey(this.hostKey, givenKey(request, url));
  }
}
