import { createHash } from 'node:crypto';

/** JSON with object keys in code-unit order and undefined members left out: equal data gives equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}

/** SHA-256 of a value's canonical JSON, in hex. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** SHA-256 of a one-time token, in hex: what is kept of it. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
