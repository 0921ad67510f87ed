// Replaying an instance costs the square of its history: a group must not grow with its workloads.
import { afterEach, expect, test } from 'vitest';
import { manyWorkloads } from './world/definitions.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

/**
 * What a Durable Task Scheduler takes in one message, without the help that JavaScript does not have:
 * https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-large-payloads. A group of 100 must fit.
 */
const mostBytes = 2 ** 20;

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('a group of many workloads has few children and a short history, and so has each of its crews', {
  timeout: 120_000,
}, async () => {
  const { sources, change } = manyWorkloads(24);
  world = await World.open({ sources, change });
  world.keepTime();
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const { instances } = world.durable.query({});
  const children = new Map<string, number>();
  const lengths = new Map<string, number>();
  const carried = (what: string, value: unknown) =>
    lengths.set(what, Math.max(lengths.get(what) ?? 0, Buffer.byteLength(JSON.stringify(value ?? null))));
  for (const { name, input } of world.script.calls) carried(name, input);
  for (const { instanceId } of instances) {
    const { historyEvents: history = [], input } =
      world.durable.status(instanceId, { showHistory: true, showHistoryOutput: true, showInput: true }) ?? {};
    carried(instanceId, input);
    for (const event of history) carried(`${instanceId}: ${event['EventType']}`, event['Result'] ?? event['Input']);
    expect([instanceId, history.length < 100]).toEqual([instanceId, true]);
    const begun = history.filter((event) => String(event['EventType']).startsWith('SubOrchestrationInstance'));
    children.set(instanceId, begun.length);
  }
  expect([...lengths].filter(([, bytes]) => bytes > (mostBytes * 24) / 100)).toEqual([]);
  const ofWave = [...lengths].filter(([what]) => what.startsWith('wave-')).map(([, bytes]) => bytes);
  expect(Math.max(...ofWave)).toBeLessThan(3_000);
  expect(children.get('group-w1.many-1')).toBeGreaterThan(10);
  expect(Math.max(...children.values())).toBeLessThan(60);
});

test('a group of many workloads rolls back whole', { timeout: 120_000 }, async () => {
  const { sources, change } = manyWorkloads(22);
  world = await World.open({ sources, change });
  world.keepTime();
  world.script.once('applyAction', () => world.people.rollBack('withdrawn'));
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(new Set(Object.values(world.phases()))).toEqual(new Set(['withdrawn']));
  expect([...world.hosts.machines.values()].every(({ power }) => power === 'on')).toBe(true);
});
