// What a target appliance is given to put an agent onto a source, and when it is given nothing.
import { exportJWK, generateKeyPair } from 'jose';
import { createServer } from 'node:http';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { PlatformClient } from '../../../appliance/platform/client.ts';
import type { Identity } from '../../../appliance/platform/identity.ts';
import { closeServer, listenOnLoopback, readBody } from '../../../local/loopback.ts';
import { hashOfToken } from '../../../shared/hash.ts';
import { AgentBootstrap } from '../../../shared/protocol/agentAccess.ts';
import { signRequest } from '../../../shared/protocol/signing.ts';
import { createSshKeyring } from '../../../shared/ssh/credentials.ts';
import type { ApplianceDocument } from '../../../shared/store/documents.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const privateKey = await exportJWK(pair.privateKey);
const publicKey = { kty: 'OKP', ...(await exportJWK(pair.publicKey)) };
const stranger = await exportJWK((await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })).privateKey);
const operationId = 'prepare-w1.db-1:installAgent:db:1';

let one: ReturnType<typeof api>;
beforeEach(async () => {
  one = api();
  const hosts = ['*.corp.example'];
  one.reach.ssh = createSshKeyring({ ops: { user: 'landfall', passwordSetting: 'OPS_PASSWORD', hosts } }, (setting) =>
    setting === 'OPS_PASSWORD' ? 'only told once' : undefined,
  );
  await known('target-west', { applianceKind: 'target', status: 'healthy', publicKey });
  const push = { by: 'target-west', operationId, credential: 'ops', host: 'db-01.corp.example' };
  await known('agent-db-01', { applianceKind: 'agent', status: 'awaited', push });
});
const known = (
  applianceId: string,
  rest: Pick<ApplianceDocument, 'applianceKind' | 'status'> & Partial<ApplianceDocument>,
) =>
  one.reach.store.appliances.put({
    ...{ id: `appliance.${applianceId}`, kind: 'appliance', environmentId: 'west', applianceId },
    ...rest,
  });
const ask = async (claims: object, as = 'target-west', key = privateKey) =>
  one.ask('POST', `/api/appliances/${as}/agent-access`, {
    body: { request: await signRequest({ agentId: 'agent-db-01', operationId, ...claims }, as, key) },
  });

it('the login is answered to the appliance that is asked to put the agent there', async () => {
  const { status, body } = await ask({ purpose: 'agentCredential' });
  expect({ status, body }).toEqual({ status: 200, body: { user: 'landfall', password: 'only told once' } });
});

it('the token is new each time, voids the one before, and there is none once the agent has enrolled', async () => {
  const tokens = [];
  for (let turn = 0; turn < 2; turn++) {
    const { bootstrap } = AgentBootstrap.parse((await ask({ purpose: 'agentBootstrap' })).body);
    expect(bootstrap).toMatchObject({ enrolUrl: 'http://127.0.0.1:7071/api/appliances/enrol', kind: 'agent' });
    tokens.push(bootstrap!.token);
    const { tokenHash } = (await one.reach.store.appliances.get('agent-db-01'))!;
    expect(tokenHash).toBe(hashOfToken(bootstrap!.token));
  }
  expect(tokens[0]).not.toBe(tokens[1]);
  await one.reach.store.appliances.change('agent-db-01', (agent) => ({ ...agent, status: 'enrolled' }));
  expect((await ask({ purpose: 'agentBootstrap' })).body).toEqual({ bootstrap: null });
});

it.each([
  ['another operation', { operationId: 'prepare-w1.db-1:installAgent:db:2' }],
  ['another agent', { agentId: 'agent-web-01' }],
  ['no agent at all', { agentId: 'target-west' }],
])('%s gets neither login nor token', async (_what, claims) => {
  for (const purpose of ['agentCredential', 'agentBootstrap'])
    expect((await ask({ purpose, ...claims })).status).toBe(403);
});

it('nobody else gets them: no other appliance, no other key, no revoked one, and no other purpose', async () => {
  await known('target-east', { applianceKind: 'target', status: 'healthy', publicKey });
  expect((await ask({ purpose: 'agentCredential' }, 'target-east')).status).toBe(403);
  expect((await ask({ purpose: 'agentCredential' }, 'target-west', stranger)).status).toBe(401);
  expect((await ask({ purpose: 'busTokens' })).status).toBe(400);
  await known('target-west', { applianceKind: 'target', status: 'revoked', publicKey });
  expect((await ask({ purpose: 'agentCredential' })).status).toBe(403);
});

it('what the settings no longer allow is not answered, and the list of appliances shows nothing of it', async () => {
  one.reach.ssh = createSshKeyring({});
  const { status, body } = await ask({ purpose: 'agentCredential' });
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain('LANDFALL_SSH_CREDENTIALS has no credential');
  const { body: list } = await one.ask('GET', '/api/appliances', { as: 'ada' });
  expect(JSON.stringify(list)).not.toMatch(/push|ops/);
});

it('the appliance’s own client asks as it must, and takes what is answered', async () => {
  const server = createServer((request, response) => {
    void (async () => {
      const body: unknown = JSON.parse((await readBody(request)).toString('utf8'));
      const answer = await one.ask('POST', request.url ?? '', { body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    })();
  });
  const appliancesUrl = `http://127.0.0.1:${await listenOnLoopback(server)}/api/appliances`;
  onTestFinished(() => closeServer(server));
  const identity = { applianceId: 'target-west', appliancesUrl, privateKey } as unknown as Identity;
  const client = new PlatformClient(identity);
  const claims = { agentId: 'agent-db-01', operationId };
  expect(await client.agentCredential(claims)).toEqual({ user: 'landfall', password: 'only told once' });
  expect(await client.agentBootstrap(claims)).toMatchObject({ bootstrap: { kind: 'agent' } });
  await expect(client.agentCredential({ ...claims, agentId: 'agent-web-01' })).rejects.toMatchObject({
    code: 'platformRefused',
  });
});
