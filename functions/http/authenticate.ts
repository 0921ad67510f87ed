// Who is asking: people by bearer tokens of the configured issuer. Function keys are not used.
import type { HttpRequest } from '@azure/functions';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { Config } from '../../shared/config.ts';
import { transient } from '../../shared/errors.ts';
import { type Person, type Role, roles } from '../../shared/policy/people.ts';
import { Refused } from './problem.ts';

type AuthConfig = Pick<Config, 'LANDFALL_AUTH_ISSUER' | 'LANDFALL_AUTH_AUDIENCE' | 'LANDFALL_AUTH_JWKS_URL'>;

/** Key sets by address: `jose` caches keys in them and fetches again when an unknown one signs. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keySet(url: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(url) ?? createRemoteJWKSet(new URL(url));
  keySets.set(url, known);
  return known;
}

/** The person that the request's bearer token speaks for; throws 401 without a valid one. */
export async function authenticate(request: HttpRequest, config: AuthConfig): Promise<Person> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) throw unauthenticated('A bearer token is needed.');
  try {
    const { payload } = await jwtVerify(token, keySet(config.LANDFALL_AUTH_JWKS_URL), {
      issuer: config.LANDFALL_AUTH_ISSUER,
      audience: config.LANDFALL_AUTH_AUDIENCE,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: 30,
    });
    const subject = payload.sub ?? '';
    const name = [payload['name'], payload['preferred_username']].find((each) => typeof each === 'string') ?? subject;
    const claimed: unknown[] = Array.isArray(payload['roles']) ? payload['roles'] : [];
    const groups = Array.isArray(payload['groups']) ? payload['groups'].filter((each) => typeof each === 'string') : [];
    return { subject, name: String(name), roles: roles.filter((role) => claimed.includes(role)), groups };
  } catch (error) {
    // What is wrong with the keys' address is not the caller's fault.
    if (
      !(error instanceof errors.JOSEError) ||
      error instanceof errors.JWKSTimeout ||
      error instanceof errors.JWKSInvalid
    )
      throw transient('unavailable', 'The token issuer’s keys could not be read.', 'Try again in a moment.', 5);
    throw unauthenticated(`The token is not accepted: ${error.message}.`, 'invalid_token');
  }
}

/** Throws 403, naming what is missing, unless the person has one of the roles. */
export function authorize(person: Person, allowed: readonly Role[]): void {
  if (allowed.some((role) => person.roles.includes(role))) return;
  const detail =
    allowed.length === roles.length
      ? 'Your token carries none of Landfall’s roles.'
      : `This needs the role ${allowed.join(' or ')}.`;
  throw new Refused({ status: 403, code: 'forbidden', title: 'Not allowed', detail });
}

function unauthenticated(detail: string, error?: string): Refused {
  const challenge = `Bearer realm="landfall"${error === undefined ? '' : `, error="${error}"`}`;
  return new Refused({
    status: 401,
    code: 'unauthenticated',
    title: 'Authentication is needed',
    detail,
    headers: { 'www-authenticate': challenge },
  });
}
