import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executionStarted, orchestratorStarted } from '../../../local/durable/history.ts';
import { episodeInput, wireEvents } from '../../../local/durable/wire.ts';
import { loadApp } from '../../../local/host/app.ts';
import { Invoker } from '../../../local/host/invoke.ts';
import { HostLog } from '../../../local/host/log.ts';

interface Seen {
  context: { df?: { instanceId: string } };
  inputs: [{ history?: unknown[] }];
}

const registrations = await loadApp(join(import.meta.dirname, '../durable/fixtures/everything'));
const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);

/** Invokes a function; answers the same objects as a hook saw them after its handler, and as they are now. */
async function invoke(name: string, json: string) {
  const target = registrations.functions.get(name);
  if (!target) throw new Error(`no function ${name}`);
  const seen: { instanceId: string | undefined; events: number | undefined; now: Seen }[] = [];
  registrations.hooks.postInvocation.push((hook) => {
    const now: Seen = {
      context: hook['invocationContext'] as Seen['context'],
      inputs: hook['inputs'] as Seen['inputs'],
    };
    seen.push({ instanceId: now.context.df?.instanceId, events: now.inputs[0].history?.length, now });
  });
  try {
    const { result } = await invoker.invoke(target, { data: { json } });
    return { result, ...seen[0] };
  } finally {
    registrations.hooks.postInvocation.pop();
  }
}

test('an episode holds on to neither its history nor its tasks once hooks have seen them', async () => {
  const events = [orchestratorStarted(0), executionStarted(0, 'sequence', undefined, undefined)];
  const episode = { instanceId: 'one', parentInstanceId: undefined, input: undefined, isReplaying: false };
  const {
    result,
    instanceId,
    events: count,
    now,
  } = await invoke('sequence', episodeInput({ ...episode, events: [wireEvents(events)] }));
  expect(result).toMatchObject({ isDone: false });
  expect({ instanceId, count }).toEqual({ instanceId: 'one', count: 2 });
  expect(now?.context.df).toBeUndefined();
  expect(now?.inputs[0].history).toEqual([]);
});

test("an activity's input stays its own, whatever its fields are called", async () => {
  const { now } = await invoke('echo', JSON.stringify({ history: [1, 2] }));
  expect(now?.inputs[0]).toEqual({ history: [1, 2] });
});
