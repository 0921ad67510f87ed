// An engine on a clock that tests move, running the fixture app through the unmodified SDK.
import { join } from 'node:path';
import { DurableManagement } from '../../../local/durable/client.ts';
import type { Clock } from '../../../local/durable/clock.ts';
import { Engine, type EngineOptions, type Invocation } from '../../../local/durable/engine.ts';
import { loadApp } from '../../../local/host/app.ts';
import { Invoker } from '../../../local/host/invoke.ts';
import { HostLog } from '../../../local/host/log.ts';
import { openDatabase } from '../../../local/sqlite.ts';

export class TestClock implements Clock {
  #now = Date.parse('2030-01-01T00:00:00Z');
  #alarms = new Set<{ time: number; wake: () => void }>();

  now(): number {
    return this.#now;
  }

  at(time: number, wake: () => void): () => void {
    const alarm = { time, wake };
    this.#alarms.add(alarm);
    if (time <= this.#now) setImmediate(() => this.#alarms.delete(alarm) && wake());
    return () => this.#alarms.delete(alarm);
  }

  /** The earliest alarm that is set. */
  get next(): number | undefined {
    return this.#alarms.size === 0 ? undefined : Math.min(...[...this.#alarms].map(({ time }) => time));
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const alarm of [...this.#alarms]) {
      if (alarm.time > this.#now) continue;
      this.#alarms.delete(alarm);
      alarm.wake();
    }
  }
}

export interface TestEngine {
  clock: TestClock;
  engine: Engine;
  client: DurableManagement;
  /** Called before each invocation; may wait. */
  before: { invoke: (invocation: Invocation) => Promise<void> | void };
}

/** The fixture app's functions, as an engine wants them. */
export async function functionsOf(
  app = 'fixtures/everything',
  before: TestEngine['before'] = { invoke: () => {} },
): Promise<Pick<EngineOptions, 'has' | 'invoke'>> {
  const registrations = await loadApp(join(import.meta.dirname, app));
  const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
  return {
    has: (kind, name) => {
      const bindings = registrations.functions.get(name)?.metadata.bindings ?? {};
      return Object.values(bindings).some(({ type }) => type === `${kind}Trigger`);
    },
    invoke: async (invocation) => {
      const target = registrations.functions.get(invocation.name);
      if (!target) throw new Error(`no function ${invocation.name}`);
      await before.invoke(invocation);
      return (await invoker.invoke(target, { data: { json: invocation.json } })).result;
    },
  };
}

export async function startEngine(path = ':memory:', clock = new TestClock()): Promise<TestEngine> {
  const before: TestEngine['before'] = { invoke: () => {} };
  const engine = new Engine({
    ...(await functionsOf('fixtures/everything', before)),
    database: openDatabase(path),
    clock,
  });
  engine.start();
  return { clock, engine, client: new DurableManagement(engine), before };
}

/** Waits, a turn of the event loop at a time, until the probe answers something. */
export async function until<T>(probe: () => T | undefined | false, what: string): Promise<T> {
  for (let turn = 0; turn < 20_000; turn++) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`never happened: ${what}`);
}
