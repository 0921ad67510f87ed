// Appliances over HTTPS: they enrol once, renew, and reach the one blob that they have to write.
import { exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { ownEvents } from '../../../functions/servicebus/ownEvents.ts';
import { hashOfToken } from '../../../shared/hash.ts';
import { Bootstrap, EnrolmentAnswer } from '../../../shared/protocol/enrolment.ts';
import { signRequest } from '../../../shared/protocol/signing.ts';
import type { ApplianceDocument } from '../../../shared/store/documents.ts';
import { dispatchDue, enqueueSync } from '../../../shared/sync/dispatch.ts';
import { platformKeys, withWave } from '../../fakes/reach.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const [publicKey, privateKey] = [await exportJWK(pair.publicKey), await exportJWK(pair.privateKey)];
const token = 'a-one-time-token-that-is-long-enough';
const asked = { token, publicKey, kind: 'agent', version: '1.0.0', hostName: 'db-01' };

let one: ReturnType<typeof api>;
async function awaited(change: Partial<ApplianceDocument> = {}) {
  await one.reach.store.appliances.put({
    id: 'appliance.agent-db-01',
    kind: 'appliance',
    environmentId: 'west',
    applianceId: 'agent-db-01',
    applianceKind: 'agent',
    status: 'awaited',
    tokenHash: hashOfToken(token),
    tokenExpiresAt: '2026-12-01T02:00:00.000Z',
    operationId: 'o:1',
    ...change,
  });
}
const enrol = (change: object = {}) => one.ask('POST', '/api/appliances/enrol', { body: { ...asked, ...change } });
const signed = async (claims: Record<string, unknown>, as = 'agent-db-01', key = privateKey) => ({
  body: { request: await signRequest(claims, as, key) },
});

beforeEach(() => {
  one = api();
});

describe('enrolment', () => {
  it('answers with everything that an appliance needs, and nothing private', async () => {
    await awaited();
    const { status, body } = await enrol();
    expect(status).toBe(201);
    expect(EnrolmentAnswer.parse(body)).toMatchObject({
      applianceId: 'agent-db-01',
      environmentId: 'west',
      heartbeatSeconds: 30,
    });
    const { d: _d, ...publicHalf } = await exportJWK(platformKeys.privateKey);
    expect(body.platformKey).toEqual(publicHalf);
    expect(one.reach.bus.subscriptions).toEqual(new Set(['agent-db-01']));
    const stored = await one.reach.store.appliances.get('agent-db-01');
    expect(stored).toMatchObject({ status: 'enrolled', publicKey, version: '1.0.0', operationId: 'o:1' });
  });

  it('belongs to one key: of two keys at the same moment, one', async () => {
    await awaited();
    const other = { publicKey: { ...publicKey, x: 'A'.repeat(43) } };
    const statuses = (await Promise.all([enrol(), enrol(other)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 403]);
  });

  it('is answered again for the same key until the first heartbeat: an answer may have been lost', async () => {
    await awaited();
    const [first, second] = [await enrol(), await enrol()];
    expect([first.status, second.status]).toEqual([201, 201]);
    const heartbeat = { version: '1.0.0', bootId: 'b', kind: 'agent' as const, uptimeSeconds: 1, runningSyncs: [] };
    await ownEvents(one.reach, 'agent-db-01', [
      {
        specversion: '1.0',
        id: 'h1',
        source: 'agent-db-01',
        type: 'landfall.appliance.heartbeat',
        subject: 'agent-db-01',
        time: '2026-12-01T00:00:00.000Z',
        datacontenttype: 'application/json',
        sequence: 1,
        data: heartbeat,
      },
    ]);
    expect(await one.reach.store.appliances.get('agent-db-01')).not.toHaveProperty('tokenHash');
    expect((await enrol()).status).toBe(403);
  });

  it('is refused alike for a wrong, expired or misused token', async () => {
    await awaited({ tokenExpiresAt: '2026-11-30T23:59:59.000Z' });
    const expired = await enrol();
    await awaited();
    const answers = [expired, await enrol({ token: `${token}!` }), await enrol({ kind: 'worker' })];
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.detail}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(403);
    expect((await one.reach.store.appliances.get('agent-db-01'))?.status).toBe('awaited');
  });

  it('takes the token that an operator has fetched for an appliance that people start, and no earlier one', async () => {
    await awaited({ byHand: true });
    const fetch = (as: 'ada' | 'grace' = 'ada') => one.ask('POST', '/api/appliances/agent-db-01/bootstrap', { as });
    expect((await fetch('grace')).status).toBe(403);
    const [first, second] = [Bootstrap.parse((await fetch()).body), Bootstrap.parse((await fetch()).body)];
    expect(first).toMatchObject({
      enrolUrl: expect.stringMatching(/\/api\/appliances\/enrol$/) as string,
      kind: 'agent',
    });
    expect([(await enrol()).status, (await enrol({ token: first.token })).status]).toEqual([403, 403]);
    expect((await enrol({ token: second.token })).status).toBe(201);
    expect((await fetch()).status).toBe(409);
    expect(JSON.stringify((await one.ask('GET', '/api/appliances', { as: 'ada' })).body)).not.toContain(second.token);
  });

  it('gives nobody a token for what Landfall starts itself', async () => {
    await awaited();
    const answer = await one.ask('POST', '/api/appliances/agent-db-01/bootstrap', { as: 'ada' });
    expect(answer.status).toBe(409);
    expect((await enrol()).status).toBe(201);
  });

  it('takes no other kind of key', async () => {
    await awaited();
    expect((await enrol({ publicKey: { ...publicKey, d: 'secret' } })).status).toBe(400);
    expect((await enrol({ publicKey: { kty: 'RSA', n: 'n', e: 'AQAB' } })).status).toBe(400);
  });

  it('reads little, and only JSON, of strangers', async () => {
    expect((await one.ask('POST', '/api/appliances/enrol', { text: `"${'x'.repeat(17_000)}"` })).status).toBe(413);
    expect((await one.ask('POST', '/api/appliances/enrol', { text: 'a: 1', type: 'application/yaml' })).status).toBe(
      415,
    );
  });
});

describe('an enrolled appliance', () => {
  const blob = { purpose: 'blobAccess', waveId: 'w1', workloadId: 'db', diskId: 'os' };
  const granted: unknown[] = [];
  let syncId = '';

  beforeEach(async () => {
    const plan = await withWave(one.reach);
    await awaited();
    await enrol();
    granted.length = 0;
    const [db] = plan.workloads;
    const queued = await enqueueSync(one.reach, db!, 'initial', 'prepare-w1.db-1:sync');
    syncId = queued.queued ? queued.syncId : '';
    one.reach.azure = {
      staging: {
        writeAccess: async (environment: { id: string }, blobName: string) => {
          granted.push([environment.id, blobName]);
          return { url: `https://staging.example/${blobName}?sig=x`, expiresAt: '2026-12-01T04:00:00.000Z' };
        },
      },
    } as unknown as typeof one.reach.azure;
  });
  const ask = async (path: string, claims: Record<string, unknown>, as?: string) =>
    one.ask('POST', `/api/appliances/agent-db-01/${path}`, await signed(claims, as));

  it('renews its access to the bus by a request of its own key', async () => {
    expect(await ask('tokens', { purpose: 'busTokens' })).toMatchObject({
      status: 200,
      body: { commandsSubscription: 'agent-db-01' },
    });
    expect((await ask('tokens', { ...blob, syncId })).status).toBe(400);
    expect((await ask('tokens', { purpose: 'busTokens' }, 'agent-web-01')).status).toBe(401);
    const { privateKey: other } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const forged = await signed({ purpose: 'busTokens' }, 'agent-db-01', await exportJWK(other));
    expect((await one.ask('POST', '/api/appliances/agent-db-01/tokens', forged)).status).toBe(401);
  });

  it('writes the blob of the sync in flight, and no other', async () => {
    expect((await ask('blob-access', { ...blob, syncId })).status).toBe(409);
    expect(await dispatchDue(one.reach)).toBe(1);
    expect((await ask('blob-access', { ...blob, syncId })).body.url).toContain('w1/db/os.vhd');
    expect((await ask('blob-access', { ...blob, syncId: 'sync-of-yesterday' })).status).toBe(409);
    expect((await ask('blob-access', { ...blob, syncId, diskId: 'other' })).status).toBe(403);
    expect((await ask('blob-access', { ...blob, syncId, workloadId: 'web' })).status).toBe(403);
    expect((await ask('blob-access', { ...blob, syncId, workloadId: 'nobody' })).status).toBe(403);
    expect((await ask('blob-access', { purpose: 'busTokens' })).status).toBe(400);
    expect(granted).toEqual([['west', 'w1/db/os.vhd']]);
  });

  it('loses everything when it is revoked', async () => {
    await dispatchDue(one.reach);
    expect((await one.ask('POST', '/api/appliances/agent-db-01/revoke', { as: 'linus' })).status).toBe(403);
    expect((await one.ask('POST', '/api/appliances/agent-db-01/revoke', { as: 'ada' })).body).toMatchObject({
      status: 'revoked',
    });
    expect((await ask('tokens', { purpose: 'busTokens' })).status).toBe(403);
    expect((await ask('blob-access', { ...blob, syncId })).status).toBe(403);
    expect(one.reach.bus.subscriptions.size).toBe(0);
    expect(await one.reach.store.appliances.get('agent-db-01')).not.toHaveProperty('publicKey');
  });

  it('is listed without keys and hashes', async () => {
    const { body } = await one.ask('GET', '/api/appliances', { as: 'alan' });
    expect(body.appliances).toEqual([
      {
        environmentId: 'west',
        applianceId: 'agent-db-01',
        applianceKind: 'agent',
        status: 'enrolled',
        version: '1.0.0',
        tokenExpiresAt: '2026-12-01T02:00:00.000Z',
        enrolledAt: '2026-12-01T00:00:00.000Z',
      },
    ]);
  });
});

it('the quarantine is shown to readers: without bodies in the list, whole one by one', async () => {
  await one.reach.store.quarantine.put({
    id: 'q-1',
    kind: 'quarantine',
    source: 's',
    code: 'badSignature',
    reason: 'r',
    receivedAt: '2026-12-01T00:00:00.000Z',
    messageId: 'm',
    deliveryCount: 1,
    body: 'rubbish',
  });
  const { body } = await one.ask('GET', '/api/quarantine', { as: 'alan' });
  expect(body.quarantine).toMatchObject([{ id: 'q-1', code: 'badSignature' }]);
  expect(body.quarantine[0]).not.toHaveProperty('body');
  expect((await one.ask('GET', '/api/quarantine/q-1', { as: 'alan' })).body.body).toBe('rubbish');
  expect((await one.ask('GET', '/api/quarantine/q-2', { as: 'alan' })).status).toBe(404);
});
