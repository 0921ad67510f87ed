import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';

test('an HTTP function starts an orchestration, its activity runs, and its status can be read', async () => {
  const host = await startHost({ appDirectory: join(import.meta.dirname, 'fixtures/hello'), settings: {} });
  try {
    const response = await fetch(`${host.endpoint}/api/welcome/Ada`, { method: 'POST' });
    expect(await response.json()).toBe('Hello, Ada');
    const { instances } = host.durable.query({ showHistory: true });
    expect(instances).toMatchObject([
      { name: 'welcome', runtimeStatus: 'Completed', input: 'Ada', output: 'Hello, Ada' },
    ]);
    expect(instances[0]?.historyEvents?.map((event) => event['EventType'])).toEqual([
      'ExecutionStarted',
      'TaskCompleted',
      'ExecutionCompleted',
    ]);
  } finally {
    await host.stop();
  }
});
