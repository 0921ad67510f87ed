// The engine: wakes instances that have messages, runs their episodes, starts activities, rings timers.
// A turn's decision is written in one SQLite write; activities and acknowledgements wait for its commit, messages to
// other instances do not need to, because those instances' own decisions can only be committed later.

import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { GroupCommit } from '../sqlite.ts';
import { ActivityRunner, activityEvent } from './activities.ts';
import { type Clock, systemClock } from './clock.ts';
import { type HistoryEvent, timerFired } from './history.ts';
import { Instances } from './instances.ts';
import { Pump } from './pump.ts';
import { keepFor } from './retention.ts';
import { type InstanceRow, isTerminal, type Message, type Task } from './rows.ts';
import { Store } from './store.ts';
import { Alarm } from './timers.ts';
import { takeTurn } from './turn.ts';
import type { Versions } from './versions.ts';

export type FunctionKind = 'orchestration' | 'activity';

export interface Invocation {
  kind: FunctionKind;
  name: string;
  /** The trigger's data as JSON text. */
  readonly json: string;
  instanceId: string;
  /** Of an orchestration: what is new in `json` since the instance's last episode. */
  episode?: Episode;
}

export interface Episode {
  /** The instance as this engine has it in memory: the same object as long as it is not read again from the store. */
  memory: object;
  execution: string;
  /** How many rows of history came before. */
  rows: number;
  /** The new events as JSON texts separated by commas. */
  fresh: string;
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
  /** Without versions every instance runs here. */
  versions?: Versions;
  /** How long ended instances are kept, in milliseconds; without it, until they are purged. */
  retention?: number;
  /** Runs every episode twice and fails an orchestration that does not repeat itself. */
  alwaysReplay?: boolean;
  /** How messages travel: once and in order, unless a rehearsal says otherwise. */
  deliveries?: Deliveries;
  /** Milliseconds that episodes may take before the event loop gets its turn. */
  slice?: number;
  /** Wraps every commit. */
  aroundCommit?: (commit: () => void) => void;
  log?: (line: string) => void;
}

export interface Deliveries {
  /** How often a message that the engine sends itself is stored. */
  copies(): number;
  /** The order in which an instance reads its messages. */
  arrange(messages: readonly Message[]): readonly Message[];
}

const defaultSlice = 5;
// Episodes wait for nothing but the processor: more at once would only keep more histories in memory.
const defaultEpisodes = 8;

export class Engine {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly store: Store;
  readonly instances: Instances;
  readonly writer: GroupCommit;
  readonly options: EngineOptions;
  readonly activities: ActivityRunner;
  readonly alarm: Alarm;
  readonly #pump: Pump;
  readonly #left = new Set<string>();
  readonly #ended = new Map<string, ((instance: InstanceRow) => void)[]>();
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopSweeping = () => {};
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.newId = options.newId ?? randomUUID;
    this.store = new Store(options.database);
    this.instances = new Instances(this.store);
    const around = options.aroundCommit ?? ((commit) => commit());
    this.writer = new GroupCommit(options.database, (commit) => {
      this.store.flush();
      around(commit);
    });
    this.activities = new ActivityRunner(options.maxActivities ?? 20, (task) => this.#runActivity(task));
    this.alarm = new Alarm(this.clock, () => this.#ring());
    this.#pump = new Pump({
      most: options.maxEpisodes ?? defaultEpisodes,
      slice: options.slice ?? defaultSlice,
      isWarm: (id) => this.instances.peek(id) !== undefined,
      episode: (id) => this.#episode(id),
    });
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
    if (this.options.retention !== undefined) this.#stopSweeping = keepFor(this, this.options.retention);
    this.#pump.start();
  }

  /** Starts no more activities; what they would have woken goes on after the next start. */
  quiesce(): void {
    void this.activities.stop();
  }

  /** Starts nothing more, lets running activities and episodes end, and closes the database. */
  async stop(drainMilliseconds = 5000): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.alarm.stop();
    this.#stopSweeping();
    let timeout: NodeJS.Timeout | undefined;
    const expired = new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, drainMilliseconds);
    });
    await Promise.race([this.activities.stop().then(() => this.#pump.ended()), expired]);
    clearTimeout(timeout);
    this.halt();
    this.writer.close();
  }

  /** Does nothing more, at once: what is not on disk is lost, as if the process had ended here. */
  halt(): void {
    this.#state = 'stopped';
    this.alarm.stop();
    this.#stopSweeping();
    this.#pump.stop();
    void this.activities.stop();
  }

  /** Stores a message and wakes its instance. Must be called inside a write. */
  deliver(id: string, execution: string | undefined, event: HistoryEvent): void {
    const copies = execution === undefined ? 1 : (this.options.deliveries?.copies() ?? 1);
    for (let copy = 0; copy < copies; copy++) {
      const message = this.store.addMessage(id, execution, event);
      this.instances.peek(id)?.inbox.push(message);
    }
    this.wake(id);
  }

  wake(id: string): void {
    this.#pump.wake(id);
  }

  /** Leaves an instance as it is, for another host, and says so once. */
  leave(id: string, reason: string): void {
    if (this.#left.has(id)) return;
    this.#left.add(id);
    this.options.log?.(`durable: left alone. ${reason}`);
  }

  /** Writes, and takes the whole engine down if the disk refuses: what is in memory would be ahead of it for ever. */
  async write(work: () => void): Promise<void> {
    if (this.stopped) throw new Error('The Durable engine has stopped.');
    try {
      await this.writer.writeOrGiveUp(work);
    } catch (error) {
      if (!this.stopped) this.options.log?.(`durable: stopped, writing state failed: ${String(error)}`);
      this.halt();
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

  async #episode(id: string): Promise<void> {
    const instance = this.instances.get(id);
    // A message for an instance that was purged meanwhile; nobody will ever read it.
    if (!instance) return void this.write(() => this.store.removeMessages(id)).catch(() => {});
    // A running instance looks into its inbox again when it is done.
    if (instance.phase === 'running') return;
    instance.phase = 'running';
    const before = instance.inbox.at(-1)?.seq;
    try {
      const progressed = await takeTurn(this, instance);
      instance.phase = 'idle';
      if (instance.inbox.length > 0 && (progressed || instance.inbox.at(-1)?.seq !== before)) this.wake(id);
    } catch (error) {
      instance.phase = 'idle';
      if (!this.stopped) this.options.log?.(`durable: episode of ${id} failed: ${String(error)}`);
    }
  }

  async #runActivity(task: Task): Promise<void> {
    const event = await activityEvent(task, this.options, this.clock);
    if (this.stopped) return;
    // The place is free as soon as the activity has ended: its commit is shared by all that ended in the same turn.
    void this.write(() => {
      if (this.store.removeTask(task)) this.deliver(task.instance, task.execution, event);
    }).catch(() => {});
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
