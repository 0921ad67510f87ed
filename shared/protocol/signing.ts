// Who said it: appliances sign with Ed25519, the platform with ES256. Compact JWS by `jose` (RFC 7515, RFC 8037).
import {
  base64url,
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { Command } from './commands.ts';
import type { Envelope } from './events.ts';

const eventType = 'landfall-event+jws';
const commandType = 'landfall-command+jwt';
const requestType = 'landfall-request+jwt';
const webhookType = 'landfall-webhook+jws';

/** Signs an appliance's event; `kid` names the appliance. */
export async function signEvent(event: Envelope, applianceId: string, privateKey: JWK): Promise<string> {
  const key = await importJWK(privateKey, 'EdDSA');
  return new CompactSign(new TextEncoder().encode(JSON.stringify(event)))
    .setProtectedHeader({ alg: 'EdDSA', typ: eventType, kid: applianceId })
    .sign(key);
}

/** The appliance that a signed event claims to come from, before anything is verified; undefined if it is no such JWS. */
export function claimedSender(jws: string): string | undefined {
  try {
    const header = decodeProtectedHeader(jws);
    return header.typ === eventType && typeof header.kid === 'string' ? header.kid : undefined;
  } catch {
    return undefined;
  }
}

/** Verifies an event's signature and returns its payload as JSON. Throws on a bad signature or broken JSON. */
export async function verifyEvent(jws: string, publicKey: JWK): Promise<unknown> {
  const key = await importJWK(publicKey, 'EdDSA');
  const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
  return JSON.parse(new TextDecoder().decode(payload)) as unknown;
}

/** Signs a command for one appliance; it is void after `validForSeconds`. */
export async function signCommand(command: Command, platformKey: JWK, validForSeconds: number): Promise<string> {
  const { aud, ...claims } = command;
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: commandType })
    .setAudience(aud)
    .setIssuedAt()
    .setExpirationTime(`${validForSeconds}s`)
    .sign(await importJWK(platformKey, 'ES256'));
}

/** Verifies signature, audience and expiry of a command. Throws `jose` errors. */
export async function verifyCommand(jwt: string, applianceId: string, platformKey: JWK): Promise<unknown> {
  const key = await importJWK(platformKey, 'ES256');
  const { payload } = await jwtVerify(jwt, key, {
    audience: applianceId,
    algorithms: ['ES256'],
    typ: commandType,
    requiredClaims: ['exp', 'iat'],
  });
  return payload;
}

/** Signs an appliance's HTTPS request (token renewal, blob access): the claims are the request, valid for a minute. */
export async function signRequest(
  claims: Record<string, unknown>,
  applianceId: string,
  privateKey: JWK,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: requestType, kid: applianceId })
    .setSubject(applianceId)
    .setAudience('landfall')
    .setIssuedAt()
    .setExpirationTime('60s')
    .setJti(globalThis.crypto.randomUUID())
    .sign(await importJWK(privateKey, 'EdDSA'));
}

/** Verifies an appliance's signed request and returns its claims. Throws `jose` errors. */
export async function verifyRequest(
  jwt: string,
  applianceId: string,
  publicKey: JWK,
): Promise<Record<string, unknown>> {
  const key = await importJWK(publicKey, 'EdDSA');
  const { payload } = await jwtVerify(jwt, key, {
    audience: 'landfall',
    subject: applianceId,
    algorithms: ['EdDSA'],
    typ: requestType,
    maxTokenAge: '2m',
  });
  return payload;
}

/** What anybody may know of the platform's key, with the `kid` that its webhooks name. */
export async function publicKeyOf({ kty, crv, x, y }: JWK): Promise<JWK> {
  const key = { kty, crv, x, y } as JWK;
  return { ...key, kid: await calculateJwkThumbprint(key), alg: 'ES256', use: 'sig' };
}

/**
 * Signs the body of a webhook, as it is sent, with detached content (RFC 7515, appendix F): whoever takes it reads plain
 * JSON, and puts the base64url of the body between the two dots to verify it. `iat` says when it was signed.
 */
export async function signWebhook(body: string, platformKey: JWK): Promise<string> {
  const { kid = '' } = await publicKeyOf(platformKey);
  const jws = await new CompactSign(new TextEncoder().encode(body))
    .setProtectedHeader({ alg: 'ES256', typ: webhookType, kid, iat: Math.floor(Date.now() / 1000) })
    .sign(await importJWK(platformKey, 'ES256'));
  const [header, , signature] = jws.split('.');
  return `${header}..${signature}`;
}

/** Verifies a webhook as its receiver would. Throws `jose` errors. */
export async function verifyWebhook(body: string, signature: string, publicKey: JWK): Promise<void> {
  const [header, , signed] = signature.split('.');
  const key = await importJWK(publicKey, 'ES256');
  await compactVerify(`${header}.${base64url.encode(body)}.${signed}`, key, { algorithms: ['ES256'] });
}
