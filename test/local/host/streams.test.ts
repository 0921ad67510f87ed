import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';

test('an app with HTTP streams answers the first part before the request has ended, and its failures are 500', async () => {
  const host = await startHost({ appDirectory: join(import.meta.dirname, 'fixtures/streams'), settings: {} });
  try {
    const sent = request(`${host.endpoint}/api/upper/7`, { method: 'POST', headers: { 'x-sent': 'yes' } });
    sent.write('first ');
    const response = await new Promise<import('node:http').IncomingMessage>((resolve) => sent.on('response', resolve));
    const chunks = response[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('FIRST ');
    sent.end('second');
    expect(String((await chunks.next()).value)).toBe('SECOND');
    expect(response.headers).toMatchObject({ 'x-id': '7', 'x-sent': 'yes' });
    expect((await fetch(`${host.endpoint}/api/throws`)).status).toBe(500);
  } finally {
    await host.stop();
  }
});
