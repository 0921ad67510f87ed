import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { delivered } from './fixtures/grid/delivered.ts';

let host: RunningHost;
let url: string;
beforeAll(async () => {
  host = await startHost({ appDirectory: join(import.meta.dirname, 'fixtures/grid'), settings: {} });
  url = host.eventGridUrl('take');
});
afterAll(() => host.stop());

const post = (body: unknown, headers: Record<string, string> = {}, to = url) =>
  fetch(to, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/cloudevents+json', ...headers },
  });

test('both validation handshakes are answered', async () => {
  const validation = [{ id: '1', data: { validationCode: 'abc' } }];
  const answer = await post(validation, { 'aeg-event-type': 'SubscriptionValidation' });
  expect(await answer.json()).toEqual({ validationResponse: 'abc' });
  const options = await fetch(url, { method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } });
  expect(options.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
  expect(delivered).toEqual([]);
});

test('a subscription that ends is no event', async () => {
  const before = delivered.length;
  expect((await post([{ id: 'u' }], { 'aeg-event-type': 'Unsubscribe' })).status).toBe(202);
  expect(delivered).toHaveLength(before);
});

test('each event of a delivery is one invocation, a failed one makes the delivery fail', async () => {
  expect((await post([{ id: 'a' }, { id: 'b' }])).status).toBe(202);
  expect((await post({ specversion: '1.0', id: 'c', data: { refuse: true } })).status).toBe(500);
  expect(delivered).toMatchObject([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
});

test('what is no JSON is refused, by its media type, its encoding or its text', async () => {
  expect((await post([], { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post([], { 'content-encoding': 'gzip' })).status).toBe(415);
  const broken = await fetch(url, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
  expect([broken.status, broken.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
  expect((await fetch(url, { method: 'PUT' })).headers.get('allow')).toBe('POST, OPTIONS');
});

test('a wrong key or an unknown function is refused', async () => {
  expect((await post([], {}, url.replace(/code=.*/, 'code=wrong'))).status).toBe(401);
  expect((await post([], {}, host.eventGridUrl('other'))).status).toBe(404);
});
