// Management in process: start, raise, suspend, resume, terminate, purge, read. The HTTP forms are built on it.
// Every promise resolves after the commit.
import { createInstance, purge } from './apply.ts';
import type { Engine } from './engine.ts';
import { eventRaised, executionTerminated, type HistoryEvent, resumed, suspended } from './history.ts';
import { type InstanceFilter, type InstanceStatus, queryInstances, type StatusOptions, statusOf } from './query.ts';
import { isTerminal } from './rows.ts';

/** A request that cannot be served, with the HTTP status that the Durable extension uses for it. */
export class DurableRequestError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface StartOptions {
  instanceId?: string;
  input?: unknown;
  version?: string;
}

export class DurableManagement {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Starts an orchestration; 409 while an instance of that id has not ended. */
  async start(name: string, options: StartOptions = {}): Promise<string> {
    const input = options.input === undefined ? undefined : JSON.stringify(options.input);
    return await this.startWithJson(name, options.instanceId, input, options.version);
  }

  async startWithJson(
    name: string,
    instanceId: string | undefined,
    input: string | undefined,
    version?: string,
  ): Promise<string> {
    const engine = this.#engine;
    const id = instanceId || engine.newId().replaceAll('-', '');
    if (!engine.options.has('orchestration', name)) {
      throw new DurableRequestError(404, `The orchestrator function "${name}" does not exist.`);
    }
    if (/[/\\#?\p{Cc}]/u.test(id) || id.startsWith('@') || id.length > 256) {
      throw new DurableRequestError(
        400,
        `"${id}" is no valid instance id: at most 256 characters, no leading "@", none of / \\ # ?.`,
      );
    }
    const existing = engine.store.instance(id);
    if (existing && !isTerminal(existing.status)) {
      throw new DurableRequestError(
        409,
        `An orchestration with the instance id "${id}" already exists and is ${existing.status}.`,
      );
    }
    await engine.write(() => createInstance(engine, { id, name, input, version }, engine.clock.now()));
    return id;
  }

  /** Raises an event; it is kept when nobody waits for it yet. 404 for an unknown, 410 for an ended instance. */
  async raiseEvent(id: string, name: string, data: unknown): Promise<void> {
    await this.raiseEventWithJson(id, name, JSON.stringify(data) ?? 'null');
  }

  async raiseEventWithJson(id: string, name: string, json: string): Promise<void> {
    await this.#send(id, eventRaised(this.#engine.clock.now(), name, json));
  }

  async terminate(id: string, reason: string): Promise<void> {
    await this.#send(id, executionTerminated(this.#engine.clock.now(), reason));
  }

  async suspend(id: string, reason: string): Promise<void> {
    await this.#send(id, suspended(this.#engine.clock.now(), reason));
  }

  async resume(id: string, reason: string): Promise<void> {
    await this.#send(id, resumed(this.#engine.clock.now(), reason));
  }

  status(id: string, options: StatusOptions = {}): InstanceStatus | undefined {
    const instance = this.#engine.store.instance(id);
    return instance && statusOf(instance, options, () => this.#engine.store.history(id));
  }

  query(filter: InstanceFilter): { instances: InstanceStatus[]; continuationToken: string | undefined } {
    return queryInstances(this.#engine.store, filter);
  }

  /** Resolves with the status when the instance has ended. */
  async whenEnded(id: string): Promise<InstanceStatus> {
    return statusOf(await this.#engine.whenEnded(id), { showInput: true }, () => []);
  }

  /** Removes an ended instance; answers how many were removed (0: none of that id, or it has not ended). */
  async purge(id: string): Promise<number> {
    const instance = this.#engine.store.instance(id);
    if (!instance || !isTerminal(instance.status)) return 0;
    await purge(this.#engine, [id]);
    return 1;
  }

  /** Removes all ended instances that match. */
  async purgeWhere(filter: InstanceFilter): Promise<number> {
    const ended = [];
    let token: string | undefined;
    do {
      const page = this.query({ ...filter, top: 500, ...(token !== undefined && { continuationToken: token }) });
      ended.push(
        ...page.instances
          .filter((instance) => isTerminal(instance.runtimeStatus))
          .map((instance) => instance.instanceId),
      );
      token = page.continuationToken;
    } while (token !== undefined);
    await purge(this.#engine, ended);
    return ended.length;
  }

  async #send(id: string, event: HistoryEvent): Promise<void> {
    const instance = this.#engine.store.instance(id);
    if (!instance) throw new DurableRequestError(404, `No instance with ID '${id}' found.`);
    if (isTerminal(instance.status)) throw new DurableRequestError(410, `The instance '${id}' is ${instance.status}.`);
    await this.#engine.write(() => this.#engine.deliver(id, undefined, event));
  }
}
