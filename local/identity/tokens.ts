// Access tokens of the local issuer: RS256 like Entra's, signed by a key that is made once per data directory.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';

/** Who a token speaks for, as far as local parts care. */
export interface Verified {
  oid: string;
  appid?: string;
  roles: string[];
  aud: string;
}

export interface Principal {
  oid: string;
  name: string;
  roles?: string[];
  groups?: string[] | undefined;
  appid?: string;
  preferredUsername?: string;
}

export interface Tokens {
  jwk: JWK;
  issue(principal: Principal, audience: string, lifetimeSeconds: number): Promise<string>;
  verify(jwt: string, audience?: string): Promise<Verified>;
}

/** Tokens whose signature is known to be right: every request carries one, and most carry the same. */
const remembered = 200;

/** Opens the issuer's key, made on first use. */
export async function openTokens(dataDir: string | undefined, issuer: string, tenantId: string): Promise<Tokens> {
  const key = await importPKCS8(await loadKey(dataDir), 'RS256', { extractable: true });
  const { n, e } = await exportJWK(key);
  if (!n || !e) throw new Error('The key of the local token issuer is not an RSA key');
  const publicKey = { kty: 'RSA', n, e } as const;
  const kid = await calculateJwkThumbprint(publicKey);
  const jwk: JWK = { ...publicKey, kid, use: 'sig', alg: 'RS256' };
  const known = new Map<string, { verified: Verified; expiresAt: number }>();

  return {
    jwk,
    issue({ oid, name, roles = [], groups, appid, preferredUsername }, audience, lifetimeSeconds) {
      return new SignJWT({
        oid,
        tid: tenantId,
        name,
        roles,
        ...(groups && { groups }),
        ver: '2.0',
        idtyp: appid ? 'app' : 'user',
        ...(appid && { appid, azp: appid }),
        ...(preferredUsername && { preferred_username: preferredUsername }),
      })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .setIssuer(issuer)
        .setSubject(oid)
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore('-1 minute')
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
        .setJti(randomUUID())
        .sign(key);
    },
    async verify(jwt, audience) {
      const key = `${audience ?? ''} ${jwt}`;
      const before = known.get(key);
      if (before !== undefined && Date.now() < before.expiresAt) return before.verified;
      const expected = {
        issuer,
        algorithms: ['RS256'],
        requiredClaims: ['oid', 'exp', 'aud'],
        ...(audience && { audience }),
      };
      const { payload } = await jwtVerify(jwt, jwk, expected);
      const { oid, appid, roles, aud, exp = 0 } = payload;
      if (typeof oid !== 'string' || typeof aud !== 'string') throw new Error('The token has no single oid and aud');
      const verified = {
        oid,
        aud,
        roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
        ...(typeof appid === 'string' && { appid }),
      };
      for (const [oldest] of known) if (known.size >= remembered) known.delete(oldest);
      known.set(key, { verified, expiresAt: exp * 1000 });
      return verified;
    },
  };
}

async function loadKey(dataDir: string | undefined): Promise<string> {
  const path = dataDir === undefined ? undefined : join(dataDir, 'identity', 'issuer.key');
  if (path && existsSync(path)) return readFileSync(path, 'utf8');
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const pem = await exportPKCS8(privateKey);
  if (path) writeSecret(path, pem);
  return pem;
}

/** Writes a file that only its owner can read, whole or not at all. */
export function writeSecret(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
