// Runs the office's orchestrations on the deterministic engine: once plainly, once with every episode replayed, and
// replayed while everything goes wrong that the platform allows to go wrong.
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { DeterministicEngine, type DeterministicOptions } from '../../../../local/durable/deterministic.ts';
import type { InstanceStatus } from '../../../../local/durable/query.ts';
import { functionsOf } from '../testEngine.ts';
import { world } from './fixtures/office/world.ts';

export const functions = await functionsOf('patterns/fixtures/office');

/** The engine of the test that runs. */
export let engine: DeterministicEngine;

/** A new engine in a new world, instead of the one before. */
export function begin(options: Partial<DeterministicOptions>): void {
  engine = new DeterministicEngine({ ...functions, seed: seedOfTest(), ...options });
  const { clock } = engine;
  world.now = () => clock.now();
  world.sleep = (milliseconds) => engine.sleep(milliseconds);
  world.done = [];
  world.isBroken = () => false;
}

const faults = { crash: 0.05, duplicate: 0.1, reorder: 0.2, delay: { probability: 0.3, most: 200 } };
const modes = [
  { mode: 'plainly', options: {} },
  { mode: 'always replayed', options: { alwaysReplay: true } },
  { mode: 'always replayed, with faults', options: { alwaysReplay: true, faults } },
];
let crashes = 0;

/** How often an engine was thrown away by all tests so far. */
export const allCrashes = (): number => crashes;

/** Each test has chance of its own, the same at every run. */
const seedOfTest = (): number =>
  [...(expect.getState().currentTestName ?? '')].reduce(
    (seed, letter) => (seed * 31 + letter.charCodeAt(0)) % 65_521,
    7,
  );

/** Tests that hold in each mode. With faults, effects may repeat themselves and come late; the story is the same. */
export function inEveryMode(title: string, suite: (options: Partial<DeterministicOptions>) => void): void {
  describe.each(modes)(`${title}, $mode:`, ({ options }) => {
    beforeEach(() => begin(options));
    afterEach(end);
    suite(options);
  });
}

/** Ends what `begin` has begun. */
export async function end(): Promise<void> {
  crashes += engine.crashes;
  await engine.stop();
}

export async function run(name: string, input?: unknown, version?: string): Promise<InstanceStatus> {
  await engine.start(name, { instanceId: name, input, ...(version !== undefined && { version }) });
  return await engine.ended(name);
}

/** Lets virtual time pass, with all that happens in it. */
export async function pass(milliseconds: number): Promise<void> {
  let isThere = false;
  engine.clock.at(engine.clock.now() + milliseconds, () => {
    isThere = true;
  });
  await engine.until(() => isThere, 'time passes');
}

/** Everything of one kind in an instance's history. */
export function happened(id: string, type: string): Record<string, unknown>[] {
  const { historyEvents } = engine.durable.status(id, { showHistory: true }) ?? {};
  return (historyEvents ?? []).filter(({ EventType }) => EventType === type);
}

/** How long each timer of an instance that has fired was set for, in seconds. */
export const waited = (id: string): number[] =>
  happened(id, 'TimerFired').map(
    ({ FireAt, ScheduledTime }) => (Date.parse(String(FireAt)) - Date.parse(String(ScheduledTime))) / 1000,
  );

/** What was done, without what a crash let happen again. */
export const effects = (): string[] => [...new Set(world.done)];
