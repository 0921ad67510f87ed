import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzureKeyCredential, EventGridPublisherClient } from '@azure/eventgrid';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningEventGrid, startEventGrid } from '../../../local/eventgrid/server.ts';
import { openTokens, type Tokens } from '../../../local/identity/tokens.ts';
import { ensurePki, type Pki, trustCa } from '../../../local/pki.ts';

interface Seen {
  method: string;
  headers: IncomingHttpHeaders;
  event: { id: string; type: string; data?: unknown } | undefined;
}

/** A webhook that records what it gets and answers as it is told. */
class Hook {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  consents = true;
  answer: (event: { id: string }) => number = () => 200;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const event = text ? (JSON.parse(text) as NonNullable<Seen['event']>) : undefined;
      this.seen.push({ method: request.method ?? '', headers: request.headers, event });
      if (this.consents) response.setHeader('webhook-allowed-origin', request.headers['webhook-request-origin'] ?? '');
      response.writeHead(event ? this.answer(event) : 200).end();
    });
  }

  async listen(port = 0): Promise<string> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  get ids(): (string | undefined)[] {
    return this.seen.filter(({ event }) => event).map(({ event }) => event?.id);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let pki: Pki;
let tokens: Tokens;
let hook: Hook;
let url: string;
let grid: RunningEventGrid | undefined;
let dataDir: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'eventgrid-'));
  pki ??= await ensurePki(undefined);
  trustCa(pki.ca);
  tokens ??= await openTokens(undefined, 'https://issuer.test', 'tenant');
  hook = new Hook();
  url = await hook.listen();
});
afterEach(async () => {
  await grid?.stop();
  grid = undefined;
  hook.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(subscription: object = {}): Promise<RunningEventGrid> {
  const subscriptions = [{ name: 'hook', endpoint: url, ...subscription }];
  const topics = [{ name: 'landfall', key: 'topic-key', subscriptions }];
  grid = await startEventGrid({ dataDir, tls: pki, topics, verifyToken: tokens.verify, backoffMs: () => 5 });
  return grid;
}
const byKey = (key = 'topic-key') =>
  new EventGridPublisherClient(grid!.endpoint('landfall'), 'CloudEvent', new AzureKeyCredential(key), {
    retryOptions: { maxRetries: 0 },
  });
const event = (id: string, type = 'landfall.test') => ({ id, type, source: '/test', subject: 'w1', data: { n: 1 } });

describe('a local topic', () => {
  it('takes CloudEvents by key and by bearer token and delivers them one by one after the handshake', async () => {
    await start({ headers: { 'x-secret': 's' } });
    await byKey().send([event('1'), event('2')]);
    const token = await tokens.issue({ oid: 'o', name: 'n' }, 'https://eventgrid.azure.net', 60);
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    await new EventGridPublisherClient(grid!.endpoint('landfall'), 'CloudEvent', credential).send([event('3')]);
    await vi.waitFor(() => expect(hook.ids).toEqual(['1', '2', '3']));
    const [handshake, first] = hook.seen;
    expect([handshake!.method, handshake!.headers['webhook-request-origin']]).toEqual([
      'OPTIONS',
      'eventgrid.azure.net',
    ]);
    expect(first).toMatchObject({
      method: 'POST',
      event: { id: '1', specversion: '1.0', subject: 'w1', data: { n: 1 } },
    });
    expect(first!.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'aeg-event-type': 'Notification',
      'x-secret': 's',
    });
    expect(hook.seen.filter(({ method }) => method === 'OPTIONS')).toHaveLength(1);
  });

  it('refuses a wrong key, a token for another audience, other schemas and unknown topics', async () => {
    const { endpoint } = await start();
    await expect(byKey('wrong-key').send([event('1')])).rejects.toMatchObject({ statusCode: 401 });
    const token = await tokens.issue({ oid: 'o', name: 'n' }, 'https://storage.azure.com', 60);
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const other = new EventGridPublisherClient(endpoint('landfall'), 'CloudEvent', credential);
    await expect(other.send([event('1')])).rejects.toMatchObject({ statusCode: 401 });
    const schema = new EventGridPublisherClient(endpoint('landfall'), 'EventGrid', new AzureKeyCredential('topic-key'));
    const old = { eventType: 't', subject: 's', dataVersion: '1', data: {} };
    await expect(schema.send([old])).rejects.toMatchObject({ statusCode: 415 });
    expect(() => endpoint('nothing')).toThrow(/no local topic/);
    expect(hook.seen).toEqual([]);
  });

  it('delivers only the types that a subscription wants', async () => {
    await start({ includedEventTypes: ['landfall.wanted'] });
    await byKey().send([event('1'), event('2', 'landfall.wanted'), event('3'), event('4', 'landfall.wanted')]);
    await vi.waitFor(() => expect(hook.ids).toEqual(['2', '4']));
  });

  it('tries again after a failure, and goes on with other events meanwhile', async () => {
    await start();
    let failures = 2;
    hook.answer = ({ id }) => (id === '1' && failures-- > 0 ? 503 : 200);
    await byKey().send([event('1'), event('2')]);
    await vi.waitFor(() => expect(hook.ids.filter((id) => id === '1')).toHaveLength(3));
    await vi.waitFor(() => expect(hook.ids).toContain('2'));
    const counts = hook.seen
      .filter(({ event: e }) => e?.id === '1')
      .map(({ headers }) => headers['aeg-delivery-count']);
    expect(counts).toEqual(['0', '1', '2']);
    expect(grid!.deadLetters()).toEqual([]);
  });

  it('keeps what a webhook refuses for good, or too often, as dead letters', async () => {
    await start({ maxDeliveryAttempts: 3 });
    hook.answer = ({ id }) => (id === 'bad' ? 400 : id === 'broken' ? 500 : 200);
    await byKey().send([event('bad'), event('broken'), event('good')]);
    await vi.waitFor(() => expect(grid!.deadLetters()).toHaveLength(2));
    expect(grid!.deadLetters()).toMatchObject([
      { subscription: 'landfall/hook', event: { id: 'bad' }, attempts: 1, reason: '400' },
      { subscription: 'landfall/hook', event: { id: 'broken' }, attempts: 3, reason: '500' },
    ]);
    expect(hook.ids).toContain('good');
  });

  it('sends nothing to a webhook that has not consented', async () => {
    hook.consents = false;
    await start({ maxDeliveryAttempts: 2 });
    await byKey().send([event('1')]);
    await vi.waitFor(() => expect(grid!.deadLetters()).toHaveLength(1));
    expect(grid!.deadLetters()[0]!.reason).toContain('did not consent');
    expect(hook.ids).toEqual([]);
  });

  it('delivers after a restart what it accepted while the webhook was away, and stops promptly', async () => {
    hook.close();
    await start();
    await byKey().send([event('1'), event('2')]);
    const before = performance.now();
    await grid!.stop();
    expect(performance.now() - before).toBeLessThan(1000);
    hook = new Hook();
    await hook.listen(Number(new URL(url).port));
    await start();
    await vi.waitFor(() => expect([...hook.ids].sort()).toEqual(['1', '2']));
  });
});
