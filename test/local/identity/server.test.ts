import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localUserGrant, type RunningIdentity, startIdentity } from '../../../local/identity/server.ts';

const tenantId = '11111111-1111-4111-8111-111111111111';
const planner = { name: 'planner', oid: '22222222-2222-4222-8222-222222222222', roles: ['planner', 'operator'] };
const managedIdentities = [
  {
    name: 'planning',
    clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
    principalId: 'bbbbbbbb-0000-4000-8000-000000000001',
  },
  {
    name: 'cutover',
    clientId: 'aaaaaaaa-0000-4000-8000-000000000002',
    principalId: 'bbbbbbbb-0000-4000-8000-000000000002',
  },
];
const start = (dataDir?: string, port = 0) =>
  startIdentity({ dataDir, port, tenantId, users: [planner], managedIdentities });

// MSAL remembers the first managed-identity source of a process, so one server serves this whole file.
let identity: RunningIdentity;
beforeAll(async () => {
  identity = await start();
  vi.stubEnv('IDENTITY_ENDPOINT', identity.identityEndpoint);
  vi.stubEnv('IDENTITY_HEADER', identity.identityHeader);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await identity.stop();
});

describe('the managed-identity endpoint', () => {
  it('gives the unmodified ManagedIdentityCredential a token of the first identity', async () => {
    const { token, expiresOnTimestamp } = await new ManagedIdentityCredential().getToken(
      'https://management.azure.com/.default',
    );
    expect(await identity.verifyToken(token)).toEqual({
      oid: managedIdentities[0]!.principalId,
      appid: managedIdentities[0]!.clientId,
      roles: [],
      aud: 'https://management.azure.com',
    });
    expect(expiresOnTimestamp).toBeGreaterThan(Date.now() + 3_600_000);
  });

  it('tells identities apart by client id', async () => {
    const { clientId, principalId } = managedIdentities[1]!;
    const { token } = await new ManagedIdentityCredential({ clientId }).getToken('https://storage.azure.com/.default');
    expect(await identity.verifyToken(token, 'https://storage.azure.com')).toMatchObject({
      oid: principalId,
      appid: clientId,
    });
  });

  it('serves DefaultAzureCredential', async () => {
    const managedIdentityClientId = managedIdentities[1]!.clientId;
    const { token } = await new DefaultAzureCredential({ managedIdentityClientId }).getToken(
      'https://cosmos.azure.com/.default',
    );
    expect(decodeJwt(token)).toMatchObject({
      aud: 'https://cosmos.azure.com',
      appid: managedIdentityClientId,
      tid: tenantId,
    });
  });

  it('refuses an unknown client id and a wrong identity header', async () => {
    const stranger = new ManagedIdentityCredential({
      clientId: 'aaaaaaaa-0000-4000-8000-00000000000f',
      retryOptions: { maxRetries: 0 },
    });
    await expect(stranger.getToken('https://storage.azure.com/.default')).rejects.toThrow(/No managed identity found/);
    const url = `${identity.identityEndpoint}?api-version=2019-08-01&resource=r`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-identity-header': 'x'.repeat(48) } })).status).toBe(401);
  });
});

describe('the token issuer', () => {
  const ask = (form: Record<string, string>) =>
    fetch(`${identity.endpoint}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) });

  it('issues a named local user a token that verifies through discovery alone', async () => {
    const answer = await ask({ grant_type: localUserGrant, user: 'planner', scope: 'api://landfall/.default' });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const discovery = await fetch(`${identity.issuer}/.well-known/openid-configuration`);
    const { issuer, jwks_uri: jwksUri } = (await discovery.json()) as { issuer: string; jwks_uri: string };
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), {
      issuer,
      audience: 'api://landfall',
    });
    expect(payload).toMatchObject({
      oid: planner.oid,
      sub: planner.oid,
      name: 'planner',
      preferred_username: 'planner@landfall.local',
      roles: ['planner', 'operator'],
      tid: tenantId,
    });
    expect(payload.exp).toBeGreaterThan(Date.now() / 1000);
  });

  it('refuses other grants and unknown users', async () => {
    const other = await ask({ grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' });
    expect([other.status, ((await other.json()) as { error: string }).error]).toEqual([400, 'unsupported_grant_type']);
    const unknown = await ask({ grant_type: localUserGrant, user: 'nobody', scope: 'api://landfall/.default' });
    expect([unknown.status, ((await unknown.json()) as { error: string }).error]).toEqual([400, 'invalid_grant']);
    await expect(identity.tokenFor('nobody', 'a')).rejects.toThrow(/no user/);
  });

  it('refuses a token of another key, of another issuer, for another audience, or expired', async () => {
    const other = await start();
    try {
      await expect(identity.verifyToken(await other.tokenFor('planner', 'a'))).rejects.toThrow();
      const mine = await identity.tokenFor('planner', 'a');
      // A token that was accepted before is remembered, and refused all the same.
      expect(await identity.verifyToken(mine)).toMatchObject({ aud: 'a' });
      expect(await identity.verifyToken(mine)).toMatchObject({ aud: 'a' });
      await expect(identity.verifyToken(mine, 'b')).rejects.toThrow(/aud/);
      const forged = await new SignJWT(decodeJwt(mine)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32));
      await expect(identity.verifyToken(forged)).rejects.toThrow();
      vi.useFakeTimers({ now: Date.now() + 2 * 3_600_000, toFake: ['Date'] });
      await expect(identity.verifyToken(mine)).rejects.toThrow(/exp/);
    } finally {
      vi.useRealTimers();
      await other.stop();
    }
  });

  it('refuses a request that was addressed to a name outside this machine', async () => {
    const { port } = new URL(identity.endpoint);
    const status = await new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path: new URL(identity.jwksUri).pathname,
        headers: { host: `evil.example:${port}` },
      };
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('keeps its key over a restart, readable by its owner only, and stops promptly under keep-alive', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'identity-'));
    const agent = new Agent({ keepAlive: true });
    try {
      const first = await start(dataDir);
      const token = await first.tokenFor('planner', 'a');
      await new Promise((resolve) =>
        request(first.jwksUri, { agent }, (response) => response.resume().on('end', resolve)).end(),
      );
      const before = performance.now();
      await first.stop();
      expect(performance.now() - before).toBeLessThan(400);

      const second = await start(dataDir, Number(new URL(first.endpoint).port));
      expect(await second.verifyToken(token)).toMatchObject({ oid: planner.oid, roles: planner.roles });
      expect(second.identityHeader).toBe(first.identityHeader);
      for (const name of ['issuer.key', 'header']) {
        expect(statSync(join(dataDir, 'identity', name)).mode & 0o777).toBe(0o600);
      }
      await second.stop();
    } finally {
      agent.destroy();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
