// Shared access signatures
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token).
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BusError } from '../core/errors.ts';

export type Right = 'Send' | 'Listen' | 'Manage';

/** A key and what it may open: the whole namespace, or one entity and what is below it. */
export interface AuthorizationRule {
  keyName: string;
  key: string;
  rights: readonly Right[];
  entity?: string | undefined;
}

/** What a verified token allows, until when (ms). `path` is '' for the whole namespace. */
export interface Grant {
  path: string;
  rights: ReadonlySet<Right>;
  expiresAt: number;
}

/** The entity path inside a resource URI, lower case: `sb://localhost:5671/Orders/$management` is `orders/$management`. */
export function resourcePath(uri: string): string {
  const [, path = ''] = /^[a-z]+:\/\/[^/]*\/?([^?]*)/i.exec(uri) ?? /^[^/]*\/?([^?]*)/.exec(uri) ?? [];
  return path.replace(/\/+$/, '').toLowerCase();
}

/** Whether `path` is `scope` or below it, by whole segments. */
export function within(path: string, scope: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`);
}

const unauthorized = (why: string): BusError => new BusError('amqp:unauthorized-access', why);

/** Checks a `SharedAccessSignature …` token against the known keys. */
export function verifySas(token: string, rules: readonly AuthorizationRule[], now: number): Grant {
  const fields = new Map<string, string>();
  for (const part of token.replace(/^SharedAccessSignature\s+/i, '').split('&')) {
    const at = part.indexOf('=');
    if (at > 0) fields.set(part.slice(0, at), part.slice(at + 1));
  }
  const [sr, sig, se, skn] = ['sr', 'sig', 'se', 'skn'].map((key) => fields.get(key));
  if (!sr || !sig || !se || !skn) throw unauthorized('MalformedToken: sr, sig, se and skn are required.');
  const path = resourcePath(decode(sr));
  const expiresAt = Number(se) * 1000;
  if (!(expiresAt > now)) throw unauthorized('ExpiredToken: the token has expired.');
  const named = rules.filter((rule) => rule.keyName === decode(skn) && within(path, (rule.entity ?? '').toLowerCase()));
  const rule = named.find((candidate) => signed(candidate.key, `${sr}\n${se}`, decode(sig)));
  if (!rule)
    throw unauthorized(
      'InvalidSignature: the token has an invalid signature, or its key is not known for its resource.',
    );
  const rights = new Set<Right>(rule.rights.includes('Manage') ? ['Manage', 'Send', 'Listen'] : rule.rights);
  return { path, rights, expiresAt };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unauthorized('MalformedToken: the token is not percent-encoded.');
  }
}

function signed(key: string, text: string, signature: string): boolean {
  const wanted = createHmac('sha256', key).update(text, 'utf8').digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
