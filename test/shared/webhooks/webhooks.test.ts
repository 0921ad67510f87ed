// Webhooks against a server of this test: who is reached, what it gets, and what becomes of what it answers.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { readConfig } from '../../../shared/config.ts';
import { publicKeyOf, verifyWebhook } from '../../../shared/protocol/signing.ts';
import { createWebhooks } from '../../../shared/webhooks/webhooks.ts';
import { config } from '../../fakes/reach.ts';
import { failureOf } from '../azure/target.ts';

interface Got {
  url: string;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}
interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  hangs?: boolean;
}

const got: Got[] = [];
let answer: Answer;
let server: Server;
let base: string;
beforeAll(async () => {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  server = createServer({ key: pki.key, cert: pki.cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, answer.headers);
      if (answer.hangs) response.write('not yet');
      else response.end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  got.length = 0;
  answer = { status: 202, body: 'taken' };
});

const event = { id: 'act-w1.db-1-1:applyAction:3', type: 'landfall.webhook.applied', subject: 'db', data: { n: 1 } };
const here = { ...config, LANDFALL_WEBHOOK_NETWORKS: ['127.0.0.1/32'] };
const resolvesTo =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
const webhooks = (
  settings: typeof config = here,
  ways: Parameters<typeof createWebhooks>[1] = { resolve: resolvesTo('127.0.0.1') },
) => createWebhooks(settings, ways);

describe('an event', () => {
  it('arrives as a CloudEvent that the platform has signed', async () => {
    expect(await webhooks().deliver({ url: `${base}/hooks/1` }, event)).toEqual({ status: 202, answer: 'taken' });
    const [only] = got;
    expect(only).toMatchObject({
      url: '/hooks/1',
      headers: { 'content-type': expect.stringContaining('cloudevents') },
    });
    expect(JSON.parse(only?.body ?? '')).toEqual({
      ...{ specversion: '1.0', source: 'http://127.0.0.1:7071/api', datacontenttype: 'application/json' },
      ...event,
    });
    const key = await publicKeyOf(config.LANDFALL_SIGNING_KEY);
    expect(key).not.toHaveProperty('d');
    const signature = String(only?.headers['landfall-signature']);
    await verifyWebhook(only?.body ?? '', signature, key);
    await expect(verifyWebhook(`${only?.body} `, signature, key)).rejects.toThrow();
    const header = JSON.parse(Buffer.from(signature.split('.')[0] ?? '', 'base64url').toString()) as unknown;
    expect(header).toEqual({ alg: 'ES256', typ: 'landfall-webhook+jws', kid: key.kid, iat: expect.any(Number) });
  });

  it('has the same id in every delivery', async () => {
    await webhooks().deliver({ url: base }, event);
    await webhooks().deliver({ url: base }, event);
    expect(got.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual([event.id, event.id]);
  });
});

describe('whom a webhook reaches', () => {
  it('is nobody on this machine or in a private network, unless the settings allow it', async () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '::1']) {
      const failure = await failureOf(webhooks(config, { resolve: resolvesTo(address) }).deliver({ url: base }, event));
      expect(failure).toMatchObject({ code: 'forbidden', kind: 'terminal' });
      expect(failure.message).toContain(`No webhook goes to localhost (${address})`);
    }
    expect(await failureOf(webhooks(config).check({ url: base }))).toMatchObject({ code: 'forbidden' });
    expect(got).toEqual([]);
  });

  it('is never the metadata of a cloud, in whatever spelling', async () => {
    const open = { ...config, LANDFALL_WEBHOOK_NETWORKS: ['0.0.0.0/0', '::/0'] };
    for (const host of ['169.254.169.254', '2852039166', '0xa9fea9fe', '[::ffff:169.254.169.254]', '168.63.129.16'])
      expect(await failureOf(webhooks(open).check({ url: `https://${host}/` }))).toMatchObject({ code: 'forbidden' });
  });

  it('is who the name was judged as: it is resolved once, and what it stands for a moment later is not asked', async () => {
    const answers = ['127.0.0.1', '169.254.169.254'];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return resolvesTo(answers.shift() ?? '169.254.169.254')();
    };
    await webhooks(here, { resolve }).deliver({ url: base }, event);
    expect(asked).toEqual(['localhost']);
    expect(got).toHaveLength(1);
    expect(await failureOf(webhooks(here, { resolve }).deliver({ url: base }, event))).toMatchObject({
      code: 'forbidden',
    });
  });

  it('is nobody where one of several addresses is forbidden', async () => {
    const resolve = resolvesTo('127.0.0.1', '169.254.169.254');
    expect(await failureOf(webhooks(here, { resolve }).deliver({ url: base }, event))).toMatchObject({
      code: 'forbidden',
    });
    expect(got).toEqual([]);
  });

  it('is nobody whom a redirect names', async () => {
    answer = { status: 307, headers: { location: `${base}/elsewhere` } };
    const failure = await failureOf(webhooks().deliver({ url: `${base}/first` }, event));
    expect(failure).toMatchObject({ code: 'forbidden', kind: 'terminal' });
    expect(failure.message).toContain(`redirects are not followed (${base}/elsewhere)`);
    expect(got.map(({ url }) => url)).toEqual(['/first']);
  });

  it('must prove with its certificate that it has the name', async () => {
    const url = base.replace('localhost', 'desk.example.com');
    expect(await failureOf(webhooks().deliver({ url }, event))).toMatchObject({
      code: 'unavailable',
      kind: 'transient',
    });
    expect(got).toEqual([]);
  });
});

describe('an answer', () => {
  it('that asks for another time is tried again, no sooner than it says', async () => {
    answer = { status: 503, headers: { 'retry-after': '20' } };
    expect(await failureOf(webhooks().deliver({ url: base }, event))).toMatchObject({
      kind: 'transient',
      retryAfterSeconds: 20,
    });
  });

  it('that refuses is shown', async () => {
    answer = { status: 422, body: 'no such ticket' };
    expect(await failureOf(webhooks().deliver({ url: base }, event))).toMatchObject({
      kind: 'terminal',
      message: expect.stringContaining('422'),
      detail: 'no such ticket',
    });
  });

  it('is read only so far, and waited for only so long', async () => {
    answer = { status: 200, body: 'x'.repeat(5_000_000) };
    expect((await webhooks().deliver({ url: base }, event)).answer).toHaveLength(500);
    answer = { status: 200, hangs: true };
    const brief = webhooks(here, { resolve: resolvesTo('127.0.0.1'), withinMs: 100 });
    expect(await failureOf(brief.deliver({ url: base }, event))).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('no answer in 0.1 s'),
    });
  });
});

describe('a secret', () => {
  const secrets = (host: string) => ({
    ...here,
    LANDFALL_WEBHOOK_SECRETS: { desk: { host, header: 'Authorization', value: 'Bearer open sesame' } },
  });

  it('goes in its header to its host', async () => {
    await webhooks(secrets(new URL(base).host)).deliver({ url: base, secret: 'desk' }, event);
    expect(got[0]?.headers['authorization']).toBe('Bearer open sesame');
    await webhooks(secrets(new URL(base).host)).deliver({ url: base }, event);
    expect(got[1]?.headers['authorization']).toBeUndefined();
  });

  it('goes to no other host, whoever names it, and one that is not there is told', async () => {
    const hooks = webhooks(secrets('desk.example.com'));
    const failure = await failureOf(hooks.deliver({ url: base, secret: 'desk' }, event));
    expect(failure).toMatchObject({ code: 'forbidden' });
    expect(JSON.stringify(failure)).not.toContain('sesame');
    expect(await failureOf(hooks.check({ url: base, secret: 'other' }))).toMatchObject({ code: 'notFound' });
    expect(got).toEqual([]);
  });

  it('stands in the settings as JSON, and a malformed setting is told without what it holds', () => {
    const {
      LANDFALL_SIGNING_KEY: key,
      LANDFALL_WEBHOOK_NETWORKS: _n,
      LANDFALL_WEBHOOK_SECRETS: _s,
      ...others
    } = config;
    const settings = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)]));
    const read = (more: Record<string, string>) =>
      readConfig({ ...settings, LANDFALL_HOSTS: undefined, LANDFALL_SIGNING_KEY: JSON.stringify(key), ...more });
    const desk = { host: 'desk.example.com', header: 'x-key', value: 'open sesame' };
    expect(read({ LANDFALL_WEBHOOK_SECRETS: JSON.stringify({ desk }) }).LANDFALL_WEBHOOK_SECRETS).toEqual({ desk });
    expect(read({ LANDFALL_WEBHOOK_NETWORKS: '10.2.0.0/16, fd12::/32' }).LANDFALL_WEBHOOK_NETWORKS).toEqual([
      '10.2.0.0/16',
      'fd12::/32',
    ]);
    expect(() => read({ LANDFALL_WEBHOOK_NETWORKS: 'ten' })).toThrow('LANDFALL_WEBHOOK_NETWORKS: "ten" is no network');
    for (const broken of ['{"desk": "open sesame"', '{"desk": {"host": "a", "secret": "open sesame"}}']) {
      expect(() => read({ LANDFALL_WEBHOOK_SECRETS: broken })).toThrow('LANDFALL_WEBHOOK_SECRETS');
      expect(() => read({ LANDFALL_WEBHOOK_SECRETS: broken })).not.toThrow('sesame');
    }
  });
});
