// Who gets in: tokens, roles, and what is said to those who do not.
import { generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/http/routes.ts';
import { roles } from '../../../shared/policy/people.ts';
import { startApi, users } from './api.ts';

const { api, identity } = await startApi();

describe('a caller', () => {
  it('without a token is asked for one', async () => {
    const { status, headers, body } = await api().ask('GET', '/api/waves');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="landfall"');
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({ type: 'urn:landfall:problem:unauthenticated', status: 401, instance: '/api/waves' });
  });

  it('with a token that the issuer did not sign is refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT({ roles: [...roles] })
      .setProtectedHeader({ alg: 'RS256', kid: 'mine' })
      .setIssuer(identity.issuer)
      .setAudience('api://landfall')
      .setSubject('mallory')
      .setExpirationTime('1h')
      .sign(privateKey);
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"mallory","roles":["administrator"]}')}.`;
    for (const token of [forged, unsigned, 'rubbish']) {
      const { status, headers } = await api().ask('GET', '/api/waves', { token });
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toContain('error="invalid_token"');
    }
  });

  it('with a token for another audience is refused', async () => {
    const token = await identity.tokenFor('ada', 'api://elsewhere');
    expect((await api().ask('GET', '/api/waves', { token })).status).toBe(401);
  });

  it('is told to come back when the issuer’s keys cannot be read', async () => {
    const one = api();
    one.reach.config = { ...one.reach.config, LANDFALL_AUTH_JWKS_URL: 'http://127.0.0.1:1/keys' };
    const { status, headers } = await one.ask('GET', '/api/waves', { as: 'ada' });
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('5');
  });

  it('is told which role is missing', async () => {
    const { status, body } = await api().ask('POST', '/api/waves', { as: 'grace', body: {} });
    expect(status).toBe(403);
    expect(body.detail).toBe('This needs the role planner.');
  });

  it('of any role may read, of none may not', async () => {
    for (const as of ['alan', 'grace', 'ada'] as const)
      expect((await api().ask('GET', '/api/waves', { as })).status).toBe(200);
    expect((await api().ask('GET', '/api/waves', { as: 'nobody' })).status).toBe(403);
  });

  it('needs nothing to ask for health', async () => {
    expect(await api().ask('GET', '/api/health')).toMatchObject({ status: 200, body: { status: 'healthy' } });
  });
});

describe('the routes', () => {
  it('have each their own name and place', () => {
    expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
    expect(new Set(routes.map(({ method, path }) => `${method} ${path.replace(/\{.+?\}/g, '{}')}`)).size).toBe(
      routes.length,
    );
  });

  it('are closed to everybody without the right role, except what appliances and probes call', async () => {
    const open = routes.filter(({ allowed }) => allowed === 'anyone').map(({ path }) => path);
    expect(open.sort()).toEqual([
      'appliances/enrol',
      'appliances/{id}/agent-access',
      'appliances/{id}/blob-access',
      'appliances/{id}/tokens',
      'health',
      'keys',
    ]);
    const { ask } = api();
    for (const { method, path, allowed } of routes) {
      if (allowed === 'anyone') continue;
      const url = `/api/${path.replace(/\{.+?\}/g, 'x')}`;
      expect((await ask(method, url)).status).toBe(401);
      for (const [as, { roles: held }] of Object.entries(users))
        if (!allowed.some((role) => held.includes(role)))
          expect(`${url} ${(await ask(method, url, { as: as as keyof typeof users })).status}`).toBe(`${url} 403`);
    }
  });

  it('give anybody the key that signs webhooks, without what signs', async () => {
    const { status, body } = await api().ask('GET', '/api/keys');
    expect(status).toBe(200);
    expect(body.keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        alg: 'ES256',
        use: 'sig',
      },
    ]);
  });

  it('do not tell what went wrong inside', async () => {
    const one = api();
    one.reach.store.waves.list = async () => {
      throw new Error('secret connection string');
    };
    const { status, body } = await one.ask('GET', '/api/waves', { as: 'alan' });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(one.log.join()).toContain('secret');
  });
});
