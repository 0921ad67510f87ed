// The engine: wakes instances that have messages, runs their episodes, starts activities, rings timers.
// A turn's decision is written in one SQLite write; activities and acknowledgements wait for its commit, messages to
// other instances do not need to, because those instances' own decisions can only be committed later.
import type { DatabaseSync } from 'node:sqlite';
import { randomUUID } from 'node:crypto';
import { GroupCommit } from '../sqlite.ts';
import { ActivityRunner } from './activities.ts';
import { systemClock, type Clock } from './clock.ts';
import { failureOf, plainFailure } from './failure.ts';
import { taskCompleted, taskFailed, timerFired, type HistoryEvent } from './history.ts';
import { Instances } from './instances.ts';
import { isTerminal, type InstanceRow, type Task } from './rows.ts';
import { Store } from './store.ts';
import { Alarm } from './timers.ts';
import { takeTurn } from './turn.ts';
import { jsonOf } from './wire.ts';

export type FunctionKind = 'orchestration' | 'activity';

export interface Invocation {
  kind: FunctionKind;
  name: string;
  /** The trigger's data as JSON text. */
  json: string;
  instanceId: string;
}

export interface EngineOptions {
  database: DatabaseSync;
  /** Runs one function and resolves with what it returned, or rejects with what it threw. */
  invoke: (invocation: Invocation) => Promise<unknown>;
  has: (kind: FunctionKind, name: string) => boolean;
  clock?: Clock;
  newId?: () => string;
  maxActivities?: number;
  maxEpisodes?: number;
  log?: (line: string) => void;
}

// Episodes run on microtasks; after this long the event loop gets its turn (and the pending commit with it).
const sliceMilliseconds = 5;

export class Engine {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly store: Store;
  readonly instances: Instances;
  readonly writer: GroupCommit;
  readonly options: EngineOptions;
  readonly activities: ActivityRunner;
  readonly alarm: Alarm;
  readonly #maxEpisodes: number;
  #ready: string[] = [];
  #queued = new Set<string>();
  #episodes = 0;
  #pumping = false;
  #sliceStart = 0;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #ended = new Map<string, ((instance: InstanceRow) => void)[]>();
  #quiet: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.newId = options.newId ?? randomUUID;
    this.store = new Store(options.database);
    this.instances = new Instances(this.store);
    this.writer = new GroupCommit(options.database);
    this.activities = new ActivityRunner(options.maxActivities ?? 20, (task) => this.#runActivity(task));
    this.alarm = new Alarm(this.clock, () => this.#ring());
    this.#maxEpisodes = options.maxEpisodes ?? 64;
  }

  get stopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Takes up everything that an earlier run left unfinished. */
  start(): void {
    this.#state = 'running';
    const { instances, tasks } = this.store.unfinished();
    for (const task of tasks) this.activities.add(task);
    for (const id of instances) this.wake(id);
    this.armTimers();
    this.#pumpSoon();
  }

  /** Starts no more activities; what they would have woken goes on after the next start. */
  quiesce(): void {
    void this.activities.stop();
  }

  /** Starts nothing more, lets running activities and episodes end, and closes the database. */
  async stop(drainMilliseconds = 5000): Promise<void> {
    if (this.stopped) return;
    this.alarm.stop();
    let timeout: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, drainMilliseconds);
    });
    await Promise.race([this.activities.stop().then(() => this.#episodesEnded()), expired]);
    clearTimeout(timeout);
    this.#state = 'stopped';
    this.writer.close();
  }

  /** Stores a message and wakes its instance. Must be called inside a write. */
  deliver(id: string, execution: string | undefined, event: HistoryEvent): void {
    const message = this.store.addMessage(id, execution, event);
    this.instances.peek(id)?.inbox.push(message);
    this.wake(id);
  }

  wake(id: string): void {
    if (this.#queued.has(id)) return;
    this.#queued.add(id);
    this.#ready.push(id);
    this.#pumpSoon();
  }

  /** Writes, and takes the whole engine down if the disk refuses: what is in memory would be ahead of it for ever. */
  async write(work: () => void): Promise<void> {
    try {
      await this.writer.write(work);
    } catch (error) {
      if (!this.stopped) this.options.log?.(`durable: stopped, writing state failed: ${String(error)}`);
      this.alarm.stop();
      this.#state = 'stopped';
      throw error;
    }
  }

  armTimers(): void {
    const next = this.store.nextTimer();
    if (next !== undefined) this.alarm.by(next);
  }

  /** Tells those who wait for an instance's end; call after the commit. */
  announceEnd(instance: InstanceRow): void {
    const waiting = this.#ended.get(instance.id);
    this.#ended.delete(instance.id);
    for (const resolve of waiting ?? []) resolve(instance);
  }

  /** Resolves when the instance has ended (at once if it has), without polling. */
  whenEnded(id: string): Promise<InstanceRow> {
    const now = this.store.instance(id);
    if (now && isTerminal(now.status)) return this.writer.committed().then(() => now);
    return new Promise((resolve) => this.#ended.set(id, [...(this.#ended.get(id) ?? []), resolve]));
  }

  #pumpSoon(): void {
    if (this.#pumping || this.#state !== 'running') return;
    this.#pumping = true;
    const now = performance.now();
    if (this.#sliceStart === 0) {
      this.#sliceStart = now;
      setImmediate(() => {
        this.#sliceStart = 0;
      });
    }
    if (now - this.#sliceStart < sliceMilliseconds) queueMicrotask(() => this.#pump());
    else setImmediate(() => this.#pump());
  }

  #pump(): void {
    this.#pumping = false;
    const end = performance.now() + sliceMilliseconds;
    let taken = 0;
    while (taken < this.#ready.length && this.#episodes < this.#maxEpisodes && this.#state === 'running') {
      const id = this.#ready[taken++];
      if (id !== undefined) {
        this.#queued.delete(id);
        void this.#episode(id);
      }
      if (performance.now() > end) break;
    }
    this.#ready.splice(0, taken);
    if (this.#ready.length > 0 && this.#episodes < this.#maxEpisodes) this.#pumpSoon();
  }

  async #episode(id: string): Promise<void> {
    const instance = this.instances.get(id);
    // A message for an instance that was purged meanwhile; nobody will ever read it.
    if (!instance) return void this.write(() => this.store.removeMessages(id)).catch(() => {});
    // A running instance looks into its inbox again when it is done.
    if (instance.phase === 'running') return;
    instance.phase = 'running';
    this.#episodes++;
    const before = instance.inbox.at(-1)?.seq;
    try {
      const progressed = await takeTurn(this, instance);
      instance.phase = 'idle';
      if (instance.inbox.length > 0 && (progressed || instance.inbox.at(-1)?.seq !== before)) this.wake(id);
    } catch (error) {
      instance.phase = 'idle';
      if (!this.stopped) this.options.log?.(`durable: episode of ${id} failed: ${String(error)}`);
    } finally {
      this.#episodes--;
      if (this.#episodes === 0) for (const resolve of this.#quiet.splice(0)) resolve();
      if (this.#ready.length > 0) this.#pumpSoon();
    }
  }

  async #episodesEnded(): Promise<void> {
    if (this.#episodes > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  async #runActivity(task: Task): Promise<void> {
    const event = await this.#activityEvent(task);
    if (this.stopped) return;
    await this.write(() => {
      if (this.store.removeTask(task)) this.deliver(task.instance, task.execution, event);
    }).catch(() => {});
  }

  async #activityEvent(task: Task): Promise<HistoryEvent> {
    const { id, name, input, instance } = task;
    if (!this.options.has('activity', name)) {
      const missing = `The activity function "${name}" does not exist.`;
      return taskFailed(this.clock.now(), id, missing, plainFailure('FunctionNotFound', missing));
    }
    try {
      const result = await this.options.invoke({ kind: 'activity', name, json: input, instanceId: instance });
      return taskCompleted(this.clock.now(), id, jsonOf(result));
    } catch (thrown) {
      const failure = failureOf(thrown);
      const reason = `Activity function '${name}' failed: ${failure.ErrorMessage}`;
      return taskFailed(this.clock.now(), id, reason, failure);
    }
  }

  #ring(): void {
    if (this.#state !== 'running') return;
    const now = this.clock.now();
    const due = this.store.dueTimers(now);
    void this.write(() => {
      for (const timer of due) {
        this.store.removeTimer(timer.instance, timer.execution, timer.id);
        this.deliver(timer.instance, timer.execution, timerFired(now, timer.id, timer.fireAt));
      }
      this.armTimers();
    }).catch(() => {});
  }
}
