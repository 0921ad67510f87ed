import { join } from 'node:path';
import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installCoreModule } from '../../../local/host/coreModule.ts';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { handed } from './fixtures/manage/handed.ts';

const soon = { timeout: 10_000, interval: 5 };

let host: RunningHost;
let client: DurableClient;
beforeAll(async () => {
  installCoreModule();
  host = await startHost({ appDirectory: join(import.meta.dirname, 'fixtures/manage'), settings: {} });
  await fetch(`${host.endpoint}/api/client`);
  if (!handed.client) throw new Error('no client');
  client = handed.client;
});
afterAll(() => host.stop());

test('the SDK client starts, raises, reads and purges', async () => {
  const id = await client.startNew('waits', { instanceId: 'one', input: { a: 1 }, version: '2.0' });
  expect(id).toBe('one');
  await expect(client.startNew('waits', { instanceId: 'one' })).rejects.toThrow('409');
  await client.raiseEvent('one', 'go', { word: 'now' });
  await host.durable.whenEnded('one');
  const status = await client.getStatus('one', { showHistory: true, showHistoryOutput: true });
  expect(status).toMatchObject({
    runtimeStatus: 'Completed',
    input: { a: 1 },
    output: { told: { word: 'now' }, version: '2.0' },
    customStatus: { at: 'wait' },
  });
  expect(status.history).toHaveLength(3);
  await client.raiseEvent('one', 'go', 'too late');
  expect(await client.purgeInstanceHistory('one')).toEqual({ instancesDeleted: 1 });
  await expect(client.getStatus('one')).rejects.toThrow('404');
});

test('the SDK client suspends, resumes and terminates', async () => {
  await client.startNew('waits', { instanceId: 'two' });
  await client.suspend('two', 'a while');
  await expect.poll(async () => (await client.getStatus('two')).runtimeStatus, soon).toBe('Suspended');
  await client.resume('two', 'on');
  await expect.poll(async () => (await client.getStatus('two')).runtimeStatus, soon).toBe('Running');
  await client.terminate('two', 'the end');
  expect(await host.durable.whenEnded('two')).toMatchObject({ runtimeStatus: 'Terminated', output: 'the end' });
  await expect(client.raiseEvent('nobody', 'go', 1)).rejects.toThrow("No instance with ID 'nobody' found.");
  await expect(client.rewind('two', 'again')).rejects.toThrow('not supported');
});

test('the SDK client lists over several pages, filters, and purges by filter', async () => {
  const ids = Array.from({ length: 130 }, (_, index) => `many-${index}`);
  await Promise.all(ids.map((id) => client.startNew('fails', { instanceId: id })));
  await Promise.all(ids.map((id) => host.durable.whenEnded(id)));
  const failed = await client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Failed] });
  expect(failed).toHaveLength(130);
  expect(failed[0]?.output).toBe("Orchestrator function 'fails' failed: on purpose");
  expect(await client.purgeInstanceHistoryBy({ runtimeStatus: [OrchestrationRuntimeStatus.Failed] })).toEqual({
    instancesDeleted: 130,
  });
  expect(await client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Failed] })).toEqual([]);
});

/** The links of a check-status response, for an instance. */
async function linksOf(id: string) {
  const response = await fetch(`${host.endpoint}/api/client?id=${encodeURIComponent(id)}`);
  return { response, links: (await response.json()) as Record<string, string> };
}

test('a check-status response is 202, says where and when to look, and its links all work', async () => {
  await client.startNew('waits', { instanceId: 'some id' });
  const { response, links } = await linksOf('some id');
  const status = links['statusQueryGetUri'] ?? '';
  expect([response.status, response.headers.get('location'), response.headers.get('retry-after')]).toEqual([
    202,
    status,
    '10',
  ]);
  expect(status.startsWith(`${host.endpoint}/runtime/webhooks/durabletask/instances/`)).toBe(true);
  const link = (name: string) => (links[name] ?? '').replace('{text}', 'why').replace('{eventName}', 'go');
  const read = async () => {
    const answer = await fetch(status);
    return { status: answer.status, headers: answer.headers, ...((await answer.json()) as Record<string, unknown>) };
  };
  const send = async (name: string, body?: string) =>
    (
      await fetch(link(name), {
        method: 'POST',
        ...(body && { body, headers: { 'content-type': 'application/json; charset=utf-8' } }),
      })
    ).status;

  const running = await read();
  expect(running).toMatchObject({ status: 202, runtimeStatus: 'Running' });
  expect([running.headers.get('location'), running.headers.get('retry-after')]).toEqual([new URL(status).href, '5']);
  expect(await send('suspendPostUri')).toBe(202);
  await expect.poll(read, soon).toMatchObject({ status: 202, runtimeStatus: 'Suspended' });
  expect(await send('resumePostUri')).toBe(202);
  await expect.poll(read, soon).toMatchObject({ status: 202, runtimeStatus: 'Running' });
  expect(await send('rewindPostUri')).toBe(501);
  expect(await send('sendEventPostUri', '"hi"')).toBe(202);
  await host.durable.whenEnded('some id');
  expect(await read()).toMatchObject({ status: 200, output: { told: 'hi', version: null } });
  expect(await send('sendEventPostUri', '"late"')).toBe(410);
  const purged = await fetch(link('purgeHistoryDeleteUri'), { method: 'DELETE' });
  expect([purged.status, await purged.json()]).toEqual([200, { instancesDeleted: 1 }]);

  await client.startNew('waits', { instanceId: 'some id' });
  expect(await send('terminatePostUri')).toBe(202);
  await host.durable.whenEnded('some id');
  expect(await read()).toMatchObject({ status: 200, runtimeStatus: 'Terminated', output: 'why' });
});

test('no link works without the system key or with a wrong one', async () => {
  await client.startNew('waits', { instanceId: 'locked' });
  const { links } = await linksOf('locked');
  for (const [name, link] of Object.entries(links)) {
    if (name === 'id') continue;
    const method = name.includes('Post') ? 'POST' : name.includes('Delete') ? 'DELETE' : 'GET';
    for (const url of [link.replace(/&?code=[^&]+/, ''), link.replace(/code=[^&]+/, 'code=wrong')]) {
      const refused = await fetch(url.replace('{eventName}', 'go'), { method });
      expect([name, refused.status, refused.headers.get('content-type')]).toEqual([
        name,
        401,
        'application/problem+json',
      ]);
    }
  }
  expect((await client.getStatus('locked')).runtimeStatus).toBe('Running');
});

test('waiting for completion answers the output in time, 500 after a failure, and 202 with links when time is up', async () => {
  const settled = async (id: string) => {
    const response = await fetch(`${host.endpoint}/api/settled/${id}`);
    return { response, body: (await response.json()) as Record<string, unknown> };
  };
  await client.startNew('waits', { instanceId: 'slow' });
  const late = await settled('slow');
  expect([late.response.status, late.response.headers.get('retry-after')]).toEqual([202, '10']);
  expect(late.response.headers.get('location')).toBe(late.body['statusQueryGetUri']);
  await client.raiseEvent('slow', 'go', 7);
  await host.durable.whenEnded('slow');
  const inTime = await settled('slow');
  expect([inTime.response.status, inTime.body]).toEqual([200, { told: 7, version: null }]);

  await client.startNew('fails', { instanceId: 'failed' });
  await host.durable.whenEnded('failed');
  const failed = await settled('failed');
  expect([failed.response.status, failed.body['runtimeStatus']]).toEqual([500, 'Failed']);
  const uri = (await linksOf('failed')).links['statusQueryGetUri'] ?? '';
  expect((await fetch(uri)).status).toBe(200);
  expect((await fetch(`${uri}&returnInternalServerErrorOnFailure=true`)).status).toBe(500);
});

test('the webhook API starts instances and refuses what it cannot understand with problem JSON', async () => {
  await client.startNew('waits', { instanceId: 'picky' });
  const base = `${host.endpoint}/runtime/webhooks/durabletask`;
  const key = new URL((await linksOf('picky')).links['statusQueryGetUri'] ?? '').searchParams.get('code') ?? '';
  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${base}/${path}`, {
      method: 'POST',
      ...init,
      headers: { 'x-functions-key': key, ...(init.headers as Record<string, string>) },
    });
  const start = await send('orchestrators/waits/three', { body: '{"a":1}' });
  expect([start.status, ((await start.json()) as { id: string }).id]).toEqual([202, 'three']);
  const json = { 'content-type': 'application/json' };
  const refusals = await Promise.all([
    send('instances/picky/raiseEvent/go', { body: '"text"' }),
    send('instances/picky/raiseEvent/go', { body: '{', headers: json }),
    send('orchestrators/waits', { body: '{', headers: json }),
    send('orchestrators/waits', { body: 'x', headers: { ...json, 'content-encoding': 'gzip' } }),
    send('orchestrators/nobody'),
    send('orchestrators/waits/three'),
    send('instances/%ff'),
    send('instances/picky'),
    send('instances/picky/terminate', { method: 'GET' }),
    send('orchestrators/waits', { body: ' '.repeat(17_000_000), headers: json }),
  ]);
  expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400, 415, 404, 409, 400, 405, 405, 413]);
  for (const refusal of refusals) expect(refusal.headers.get('content-type')).toBe('application/problem+json');
  expect(refusals[7]?.headers.get('allow')).toBe('GET, DELETE');
});
