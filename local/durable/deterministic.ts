// The same engine where everything repeats itself: state in memory, a clock that jumps to the next timer when nothing
// else can happen, chance from a seed. A crash throws the engine away, with all that it had in memory and all that it
// had not committed, and starts another one on the same database.
//
// What is promised holds for functions that wait for nothing but each other and this clock (`sleep`): real input and
// output takes its own time, and the order of things with it.
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openDatabase } from '../sqlite.ts';
import { Chance } from './chance.ts';
import { DurableManagement, DurableRequestError, type StartOptions } from './client.ts';
import { Engine, type EngineOptions, type Invocation } from './engine.ts';
import { crashAt, deliveriesWith, type Faults } from './faults.ts';
import type { InstanceStatus } from './query.ts';
import { isTerminal } from './rows.ts';
import { VirtualClock } from './virtualClock.ts';

export interface DeterministicOptions
  extends Pick<EngineOptions, 'has' | 'invoke' | 'versions' | 'alwaysReplay' | 'maxActivities' | 'log'> {
  clock?: VirtualClock;
  seed?: number;
  faults?: Faults;
}

// So many turns of the event loop without anything new mean that nothing but time can change something.
const quietTurns = 3;

export class DeterministicEngine {
  readonly clock: VirtualClock;
  /** How often the engine was thrown away. */
  crashes = 0;
  readonly #options: DeterministicOptions;
  readonly #faults: Faults;
  readonly #chance: Chance;
  readonly #database: DatabaseSync = openDatabase(':memory:');
  #engine: Engine;
  #running = 0;
  #bustle = 0;
  #ids = 0;
  #commits = 0;
  #isStopping = false;

  constructor(options: DeterministicOptions) {
    this.#options = options;
    this.#faults = options.faults ?? {};
    this.#chance = new Chance(options.seed ?? 0);
    this.clock = options.clock ?? new VirtualClock('2030-01-01T00:00:00Z');
    this.#engine = this.#newEngine();
  }

  /** The management of the engine that runs now: not to be kept, as a crash brings another one. */
  get durable(): DurableManagement {
    return new DurableManagement(this.#engine);
  }

  /** Starts an orchestration like a client that asks again until it gets an answer. */
  async start(name: string, options: StartOptions & { instanceId: string }): Promise<void> {
    await this.#insist(409, () => this.durable.start(name, options));
  }

  /** Raises an event until it is accepted; an event whose acceptance was lost in a crash comes twice. */
  async raiseEvent(instanceId: string, name: string, data: unknown): Promise<void> {
    await this.#insist(410, () => this.durable.raiseEvent(instanceId, name, data));
  }

  async terminate(instanceId: string, reason: string): Promise<void> {
    await this.#insist(410, () => this.durable.terminate(instanceId, reason));
  }

  /** Whether nothing is left to be done: no message, no activity, no timer. */
  get isIdle(): boolean {
    const { instances, tasks } = this.#engine.store.unfinished();
    return instances.length + tasks.length === 0 && this.#engine.store.nextTimer() === undefined;
  }

  /** Lets an activity take virtual time. */
  async sleep(milliseconds: number): Promise<void> {
    this.#running--;
    this.#bustle++;
    await new Promise<void>((resolve) => this.clock.at(this.clock.now() + milliseconds, resolve));
    this.#running++;
    this.#bustle++;
  }

  /** Lets everything happen, jumping over idle time, until something is true; rejects when it never will be. */
  async until(isTrue: () => unknown, what: string): Promise<void> {
    while (!isTrue()) {
      if (!(await this.#isQuiet(isTrue))) continue;
      if (this.clock.next === undefined) throw new Error(`never happened: ${what}`);
      this.clock.jump();
    }
  }

  /** The status of an instance that has ended. */
  async ended(instanceId: string): Promise<InstanceStatus> {
    const status = () => this.durable.status(instanceId);
    await this.until(() => isTerminal(status()?.runtimeStatus ?? 'Pending'), `${instanceId} ends`);
    // What is visible here may not be on disk yet.
    await this.#insist(0, () => this.#engine.writer.committed());
    const ended = status();
    return ended && isTerminal(ended.runtimeStatus) ? ended : await this.ended(instanceId);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    // A crash of this very turn is followed by its new engine first.
    await nextTurn();
    await this.#engine.stop(1000);
  }

  async #isQuiet(isTrue: () => unknown): Promise<boolean> {
    for (let turn = 0; turn < quietTurns; turn++) {
      const before = this.#bustle;
      await nextTurn();
      if (isTrue() || this.#running > 0 || this.#bustle !== before) return false;
    }
    return true;
  }

  /** Asks until there is an answer. Asked again after a crash, `done` means that the first time had succeeded. */
  async #insist(done: number, work: () => Promise<unknown>): Promise<void> {
    for (let isAgain = false; ; isAgain = true) {
      const { crashes } = this;
      try {
        await work();
        return;
      } catch (error) {
        if (isAgain && error instanceof DurableRequestError && error.status === done) return;
        if (this.crashes === crashes) throw error;
        await nextTurn();
      }
    }
  }

  #newEngine(): Engine {
    const { has, versions, alwaysReplay, maxActivities, log } = this.#options;
    const engine = new Engine({
      ...{ has, database: this.#database, clock: this.clock, slice: Number.POSITIVE_INFINITY },
      ...(versions && { versions }),
      ...(alwaysReplay !== undefined && { alwaysReplay }),
      ...(maxActivities !== undefined && { maxActivities }),
      ...(log && { log }),
      newId: () => `id${++this.#ids}`,
      deliveries: deliveriesWith(this.#faults, this.#chance),
      aroundCommit: (commit) => this.#commit(engine, commit),
      invoke: (invocation) => this.#invoke(invocation),
    });
    engine.start();
    return engine;
  }

  #commit(engine: Engine, commit: () => void): void {
    this.#bustle++;
    const isAlive = engine === this.#engine && !this.#isStopping;
    const crash = isAlive ? crashAt(++this.#commits, this.#faults, this.#chance) : undefined;
    if (crash !== 'before') commit();
    if (!crash) return;
    engine.halt();
    this.crashes++;
    // After the transaction has been rolled back.
    setImmediate(() => {
      this.#bustle++;
      this.#engine = this.#newEngine();
    });
    throw new Error('The engine crashed.');
  }

  async #invoke(invocation: Invocation): Promise<unknown> {
    this.#running++;
    try {
      if (invocation.kind === 'activity') await this.#disturb(invocation);
      return await this.#options.invoke(invocation);
    } finally {
      this.#running--;
      this.#bustle++;
    }
  }

  async #disturb({ name, instanceId, json }: Invocation): Promise<void> {
    const { delay, fail } = this.#faults;
    if (delay && this.#chance.happens(delay.probability)) await this.sleep(this.#chance.below(delay.most));
    const error = fail?.({ name, instanceId, input: JSON.parse(json) });
    if (error) throw error;
  }
}
