// How an orchestrator waits. The only place that knows `context.df`: orchestrators and steps are generators of effects,
// and `drive` turns each effect into a Durable task. What that buys: typed `yield*`, several flows side by side, and one
// control signal (rollback, cancel) that is noticed at every safe point without each step asking for it.
import type { DurableOrchestrationContext, Task } from 'durable-functions';
import { ControlSignal, type Interruption, isInterruption, latestRest, type Rest } from '../model/control.ts';
import { isAtLeast } from './version.ts';

/** Tasks of which one must finish before the flow goes on. An interruptible effect also ends when an order arrives. */
export interface Effect {
  readonly tasks: readonly Task[];
  readonly interruptible: boolean;
}

/** A piece of orchestration: yields effects, returns its result. Always consumed by `yield*`, `all` or `drive`. */
export type Flow<T> = Generator<Effect, T, void>;

export const controlEvent = 'control';

/** Thrown into a flow at its next safe point after a control signal; the saga catches it and walks back. */
export class Interrupted extends Error {
  readonly signal: Interruption;
  constructor(signal: Interruption) {
    super(`${signal.action} asked for by ${signal.by}: ${signal.reason}`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

/** The orchestration's view of the world: time and identity as data, nothing else. */
export class Ctx {
  readonly df: DurableOrchestrationContext;
  interruption: Interruption | undefined;
  /** Orders heard that do not interrupt this instance, each once, in the order of their arrival. */
  readonly orders: ControlSignal[] = [];
  /** Whether rolling back costs nothing. From the moment traffic moves, only a signal that accepts the loss is heeded. */
  freeReturn = true;
  /** Interruptions that came when the way back was not free any more, and do not accept its cost. They are over. */
  readonly unheeded: Interruption[] = [];
  /** Names of steps that people are asked about before they are taken. */
  gatedSteps: ReadonlySet<string> = new Set();
  /** Told apart in operation ids when one instance id is used for several attempts. */
  readonly run: string | undefined;
  /** The wave that it works for. */
  readonly waveId: string | undefined;
  /** The one workload that it works for, if it is one: an order that names it is meant for this instance. */
  readonly workloadId: string | undefined;
  /** When people started what it does, where earlier attempts had the same instance id: older orders were for those. */
  readonly startedAt: string | undefined;
  readonly #calls = new Map<string, number>();
  #shields = 0;

  constructor(
    df: DurableOrchestrationContext,
    run?: string,
    { waveId, workloadId, startedAt }: { [K in 'waveId' | 'workloadId' | 'startedAt']?: string | undefined } = {},
  ) {
    this.df = df;
    this.run = run;
    this.waveId = waveId;
    this.workloadId = workloadId;
    this.startedAt = startedAt;
  }

  get instanceId(): string {
    return this.df.instanceId;
  }

  /** Whether this instance was started as a version or a later one: what older ones did is kept for them. */
  since(version: string): boolean {
    return isAtLeast(this.df.version, version);
  }

  /** The current time of this replay, ISO 8601 in UTC. */
  now(): string {
    return this.df.currentUtcDateTime.toISOString();
  }

  /** A deterministic operation id: the same step of the same instance always gets the same one. */
  operationId(...parts: (string | number)[]): string {
    const run = this.run === undefined ? [] : [this.run];
    return `${this.instanceId}:${[...run, ...parts].join(':')}`;
  }

  /** The operation id of an activity's next call. */
  nextCallId(activity: string): string {
    return this.operationId(activity, this.nextCount(activity));
  }

  /** Counts calls of one name from 1: a replay calls in the same order. */
  nextCount(name: string): number {
    const count = (this.#calls.get(name) ?? 0) + 1;
    this.#calls.set(name, count);
    return count;
  }

  /**
   * Takes an order in. An interruption of this instance interrupts, unless it comes too late to be free and does not
   * accept what it costs: then it is kept in `unheeded`, to be told, and is over, however often it is heard again.
   * Whatever else is ordered is kept in `orders` for whoever looks there.
   */
  heed(signal: ControlSignal): void {
    if (signal.at !== undefined && this.startedAt !== undefined && signal.at < this.startedAt) return;
    if (!isInterruption(signal) || !this.#concerns(signal)) {
      if (!this.orders.some(({ id }) => id !== undefined && id === signal.id)) this.orders.push(signal);
    } else if (this.unheeded.some(({ id }) => id !== undefined && id === signal.id)) return;
    else if (this.freeReturn || signal.acceptDataLoss === true) this.interruption ??= signal;
    else this.unheeded.push(signal);
  }

  /** The order to pause or to resume that stands for this instance. The way back is not paused. */
  get rest(): Rest | undefined {
    return this.#shields > 0 ? undefined : latestRest(this.orders.filter((order) => this.#concerns(order)));
  }

  /** An order without names is meant for everything that it is addressed to. */
  #concerns(signal: ControlSignal): boolean {
    if (!('workloadIds' in signal) || signal.workloadIds === undefined) return true;
    return this.workloadId !== undefined && signal.workloadIds.includes(this.workloadId);
  }

  /** Throws `Interrupted` if a control signal has arrived; call it where it is safe to stop. */
  safePoint(): void {
    if (this.interruption !== undefined && this.#shields === 0) throw new Interrupted(this.interruption);
  }

  /** Runs a flow that no control signal interrupts: the way back must not be cut short. */
  *shielded<T>(flow: Flow<T>): Flow<T> {
    this.#shields++;
    try {
      return yield* flow;
    } finally {
      this.#shields--;
    }
  }

  /** Shows a value as the instance's custom status. */
  show(status: unknown): void {
    this.df.setCustomStatus(status);
  }
}

/** A flow that is over at once: for a step that has nothing to capture or nothing to undo. */
export function* immediately<T>(value: T): Flow<T> {
  yield* [];
  return value;
}

/** Waits for one task that must run to its end once begun: an activity, a sub-orchestration. */
export function* finish(task: Task): Flow<unknown> {
  while (!settled(task)) yield { tasks: [task], interruptible: false };
  return outcome(task);
}

/**
 * Waits for the first of several tasks and returns it; a safe point. With `stop`, an order that makes it true ends the
 * wait: then the answer is `undefined`, and the tasks go on.
 */
export function firstOf(ctx: Ctx, tasks: readonly Task[]): Flow<Task>;
export function firstOf(ctx: Ctx, tasks: readonly Task[], stop: () => boolean): Flow<Task | undefined>;
export function* firstOf(ctx: Ctx, tasks: readonly Task[], stop = () => false): Flow<Task | undefined> {
  for (;;) {
    ctx.safePoint();
    const done = tasks.find(settled);
    if (done !== undefined || stop()) return done;
    yield { tasks, interruptible: true };
  }
}

/** Waits until orders have made `come` true. No safe point: for a companion, which no order interrupts. */
export function* untilOrdered(come: () => boolean): Flow<void> {
  while (!come()) yield { tasks: [], interruptible: true };
}

/**
 * Runs flows side by side and returns their results in order. All come to rest before the first error is thrown. Whenever
 * one has ended, those that wait at a safe point look again whether they are to wait on.
 */
export function* all<T>(flows: readonly Flow<T>[]): Flow<T[]> {
  const lanes = flows.map((flow) => new Lane(flow));
  for (const lane of lanes) lane.resume();
  for (let resting = 0; ; ) {
    const waiting = lanes.filter((lane) => lane.effect !== undefined);
    if (waiting.length === 0) break;
    if (lanes.length - waiting.length > resting) {
      resting = lanes.length - waiting.length;
      for (const lane of waiting) if (lane.effect?.interruptible) lane.resume();
    } else yield* turn(waiting);
  }
  const failed = lanes.find((lane) => lane.error !== undefined);
  if (failed?.error !== undefined) throw failed.error.thrown;
  return lanes.map((lane) => lane.value as T);
}

/**
 * Runs a flow to its end and a companion beside it for as long as that takes: then the companion is given up where it
 * waits. It only watches: what it throws ends nothing but itself.
 */
export function* beside<T>(flow: Flow<T>, companion: Flow<void>): Flow<T> {
  const [main, other] = [new Lane(flow), new Lane(companion)];
  const lanes = [main, other];
  for (const lane of lanes) lane.resume();
  try {
    while (main.effect !== undefined) yield* turn(lanes.filter((lane) => lane.effect !== undefined));
  } finally {
    other.giveUp();
  }
  if (main.error !== undefined) throw main.error.thrown;
  return main.value as T;
}

/** One turn of lanes that wait: those whose tasks have finished go on, else all of them wait. */
function* turn(waiting: readonly Lane<unknown>[]): Flow<void> {
  const ready = waiting.filter((lane) => lane.effect?.tasks.some(settled));
  for (const lane of ready) lane.resume();
  if (ready.length > 0) return;
  yield {
    tasks: waiting.flatMap((lane) => lane.effect?.tasks ?? []),
    interruptible: waiting.some((lane) => lane.effect?.interruptible),
  };
  // Woken without a finished task: control has arrived, and every lane at a safe point looks for itself.
  if (!waiting.some((lane) => lane.effect?.tasks.some(settled)))
    for (const lane of waiting) if (lane.effect?.interruptible) lane.resume();
}

class Lane<T> {
  effect: Effect | undefined;
  value: T | undefined;
  error: { thrown: unknown } | undefined;
  readonly #flow: Flow<T>;

  constructor(flow: Flow<T>) {
    this.#flow = flow;
  }

  giveUp(): void {
    if (this.effect !== undefined) this.#flow.return(undefined as T);
  }

  resume(): void {
    try {
      const step = this.#flow.next();
      this.effect = step.done ? undefined : step.value;
      if (step.done) this.value = step.value;
    } catch (thrown) {
      this.effect = undefined;
      this.error = { thrown };
    }
  }
}

/** Runs a flow to its end as a Durable orchestration: what is yielded here goes to the Durable runtime. */
export function* drive<T>(ctx: Ctx, flow: Flow<T>): Generator<Task, T, unknown> {
  let control = ctx.df.waitForExternalEvent(controlEvent);
  for (;;) {
    const step = flow.next();
    if (step.done) return step.value;
    const { tasks, interruptible } = step.value;
    while (!tasks.some(settled)) {
      const listening = ctx.interruption === undefined;
      const awaited = listening ? [...tasks, control] : tasks;
      try {
        yield ctx.df.Task.any(awaited.slice());
      } catch {
        // A failed task is read by whoever waits for it.
      }
      if (!listening || !control.isCompleted) continue;
      ctx.heed(ControlSignal.parse(control.result));
      // One listener at a time: of two waits for one name the newer one would get what comes.
      if (ctx.interruption === undefined) control = ctx.df.waitForExternalEvent(controlEvent);
      if (interruptible) break;
    }
  }
}

function settled(task: Task): boolean {
  return task.isCompleted || task.isFaulted;
}

function outcome(task: Task): unknown {
  if (task.isFaulted) throw task.result;
  return task.result;
}
