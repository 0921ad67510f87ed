import { join } from 'node:path';
import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installCoreModule } from '../../../local/host/coreModule.ts';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { handed } from './fixtures/manage/handed.ts';

let host: RunningHost;
let client: DurableClient;
let links: Record<string, string>;
beforeAll(async () => {
  installCoreModule();
  host = await startHost({ appDirectory: join(import.meta.dirname, 'fixtures/manage'), settings: {} });
  const response = await fetch(`${host.endpoint}/api/client`);
  links = (await response.json()) as Record<string, string>;
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
  await expect.poll(async () => (await client.getStatus('two')).runtimeStatus).toBe('Suspended');
  await client.resume('two', 'on');
  await expect.poll(async () => (await client.getStatus('two')).runtimeStatus).toBe('Running');
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

test('a check-status response leads to the webhook API, which opens with the system key only', async () => {
  await client.startNew('waits', { instanceId: 'some id' });
  const uri = links['statusQueryGetUri'] ?? '';
  expect(uri.startsWith(`${host.endpoint}/runtime/webhooks/durabletask/instances/`)).toBe(true);
  const running = await fetch(uri);
  expect([running.status, ((await running.json()) as { runtimeStatus: string }).runtimeStatus]).toEqual([
    202,
    'Running',
  ]);
  expect((await fetch(uri.replace(/code=[^&]+/, 'code=wrong'))).status).toBe(401);
  const raised = await fetch((links['sendEventPostUri'] ?? '').replace('{eventName}', 'go'), {
    method: 'POST',
    body: '"hi"',
    headers: { 'content-type': 'application/json' },
  });
  expect(raised.status).toBe(202);
  await host.durable.whenEnded('some id');
  const done = await fetch(uri);
  expect([done.status, ((await done.json()) as { output: unknown }).output]).toEqual([
    200,
    { told: 'hi', version: null },
  ]);
  const start = await fetch(
    `${host.endpoint}/runtime/webhooks/durabletask/orchestrators/waits/three?${uri.split('?')[1]}`,
    { method: 'POST' },
  );
  expect([start.status, ((await start.json()) as { id: string }).id]).toEqual([202, 'three']);
});
