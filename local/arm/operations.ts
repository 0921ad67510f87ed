// Long-running operations, kept in SQLite: what was accepted completes, also after a restart. The wire follows
// https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations and what @azure/core-lro@3.3.1 polls.
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { GroupCommit } from '../sqlite.ts';
import type { Answer, ArmRequest } from './contract.ts';
import { ArmError, toArmError } from './http/errors.ts';
import { keyOf } from './ids.ts';
import type { Json } from './json.ts';

/** An operation may run twice (the process died in between), so `run` must be idempotent. It returns what to write on success. */
export interface OperationKind {
  run(input: Json, target: string): Promise<() => unknown>;
  failed?(input: Json, target: string, error: ArmError): void;
}

export interface Operation {
  id: string;
  kind: string;
  target: string;
  input: Json;
  method: string;
  principal: string;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  startTime: number;
  due: number;
  endTime: number | null;
  result: unknown;
  error: { code: string; message: string; status: number } | null;
  forced: { code: string; message: string } | null;
}

export interface Accepted {
  status: number;
  body?: unknown;
  /** Which headers the answer carries: a PUT has no Location, deleting a group has nothing else. */
  headers?: 'both' | 'azure-asyncoperation' | 'location';
}

export class Operations {
  readonly #database: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #latency: number;
  readonly #kinds = new Map<string, OperationKind>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #queues = new Map<string, Promise<void>>();
  readonly #log: (line: string) => void;
  endpoint = '';
  /** Set by the fault hook while a request runs, so that the operation it starts fails. */
  forced: { code: string; message: string } | undefined;
  #stopped = false;

  constructor(commit: GroupCommit, latency: number, log: (line: string) => void) {
    this.#commit = commit;
    this.#database = commit.database;
    this.#latency = latency;
    this.#log = log;
    this.#database.exec(`CREATE TABLE IF NOT EXISTS operations (
      id TEXT PRIMARY KEY, target TEXT NOT NULL, status TEXT NOT NULL, document TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS operationsByTarget ON operations (status, target);`);
  }

  define(name: string, kind: OperationKind): void {
    this.#kinds.set(name, kind);
  }

  /** Starts, in the transaction of the request, an operation on `target`, and answers as ARM does. */
  accept(request: ArmRequest, kind: string, target: string, input: Json, accepted: Accepted): Answer {
    const now = Date.now();
    const operation: Operation = {
      id: randomUUID(),
      kind,
      target,
      input,
      method: request.method,
      principal: request.caller.oid,
      status: 'InProgress',
      startTime: now,
      due: now + this.#latency,
      endTime: null,
      result: null,
      error: null,
      forced: this.forced ?? null,
    };
    this.#save(operation);
    this.#schedule(operation);
    return this.#answer(request, operation, accepted);
  }

  /** The answer for a request that repeats one whose operation still runs; nothing when none runs. */
  join(request: ArmRequest, kind: string, target: string, accepted: Accepted): Answer | undefined {
    const rows = this.#database
      .prepare("SELECT document FROM operations WHERE status = 'InProgress' AND target = ?")
      .all(keyOf(target));
    const running = rows.map((row) => read(row)).find((operation) => operation.kind === kind);
    return running && this.#answer(request, running, accepted);
  }

  get(id: string): Operation | undefined {
    const row = this.#database.prepare('SELECT document FROM operations WHERE id = ?').get(id);
    return row && read(row);
  }

  /** The body behind Azure-AsyncOperation. */
  status(operation: Operation): Answer {
    const body: Json = {
      name: operation.id,
      status: operation.status,
      startTime: new Date(operation.startTime).toISOString(),
    };
    if (operation.endTime !== null) body.endTime = new Date(operation.endTime).toISOString();
    if (operation.error) body.error = { code: operation.error.code, message: operation.error.message };
    if (operation.status === 'Succeeded' && operation.result !== null) body.properties = { output: operation.result };
    return { status: 200, headers: this.#patience(operation), body };
  }

  /** What lies behind Location: 202 while it runs, then the result. Without one it is 200 and nothing: pollers refuse 204. */
  outcome(operation: Operation, url: string): Answer {
    if (operation.status === 'InProgress') {
      return { status: 202, headers: { location: url, ...this.#patience(operation) } };
    }
    if (operation.error) throw new ArmError(operation.error.status, operation.error.code, operation.error.message);
    return operation.result === null ? { status: 200 } : { status: 200, body: operation.result };
  }

  /** Takes up what an earlier process accepted, and forgets what ended more than a day ago. */
  resume(): void {
    this.#database
      .prepare("DELETE FROM operations WHERE status <> 'InProgress' AND json_extract(document, '$.endTime') < ?")
      .run(Date.now() - 24 * 3_600_000);
    const rows = this.#database.prepare("SELECT document FROM operations WHERE status = 'InProgress'").all();
    const waiting = rows.map((row) => read(row)).sort((one, other) => one.startTime - other.startTime);
    for (const operation of waiting) this.#schedule(operation);
  }

  /** Lets nothing new begin and waits for what is being done; the rest stays accepted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#queues.values());
  }

  #schedule(operation: Operation): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => this.#enqueue(operation), Math.max(0, operation.due - Date.now()));
    this.#timers.set(operation.id, timer);
  }

  /** One at a time per resource, in the order in which they were accepted. */
  #enqueue(operation: Operation): void {
    this.#timers.delete(operation.id);
    const key = keyOf(operation.target);
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.then(() => this.#run(operation.id));
    this.#queues.set(key, mine);
    void mine.then(() => {
      if (this.#queues.get(key) === mine) this.#queues.delete(key);
    });
  }

  async #run(id: string): Promise<void> {
    const operation = this.get(id);
    const kind = operation && this.#kinds.get(operation.kind);
    if (!operation || !kind || operation.status !== 'InProgress' || this.#stopped) return;
    try {
      if (operation.forced) throw new ArmError(409, operation.forced.code, operation.forced.message);
      const apply = await kind.run(operation.input, operation.target);
      await this.#commit.write(() => {
        const result = apply() ?? null;
        this.#save({ ...operation, status: 'Succeeded', result, endTime: Date.now() });
      });
    } catch (thrown) {
      const error = toArmError(thrown);
      this.#log(`arm: ${operation.kind} ${operation.target} failed: ${error.code}: ${error.message}`);
      await this.#commit.write(() => {
        kind.failed?.(operation.input, operation.target, error);
        const { code, message, status } = error;
        this.#save({ ...operation, status: 'Failed', error: { code, message, status }, endTime: Date.now() });
      });
    }
  }

  #save(operation: Operation): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO operations (id, target, status, document) VALUES (?, ?, ?, ?)')
      .run(operation.id, keyOf(operation.target), operation.status, JSON.stringify(operation));
  }

  #answer(request: ArmRequest, operation: Operation, accepted: Accepted): Answer {
    const headers: Record<string, string> = { 'retry-after': String(Math.max(1, Math.ceil(this.#latency / 1000))) };
    const style = accepted.headers ?? 'both';
    const { subscriptionId, namespace } = request.target;
    const base = `${this.endpoint}/subscriptions/${subscriptionId}/providers/${namespace}/locations/global`;
    const version = `api-version=${request.apiVersion}`;
    if (style !== 'location') headers['azure-asyncoperation'] = `${base}/operations/${operation.id}?${version}`;
    if (style !== 'azure-asyncoperation') {
      headers.location = `${base}/operations/${operation.id}?monitor=true&${version}`;
    }
    return { status: accepted.status, headers, body: accepted.body };
  }

  /** Whole seconds are all that Retry-After can say, so a client may keep its own shorter interval when less remains. */
  #patience(operation: Operation): Record<string, string> {
    const remaining = operation.due - Date.now();
    if (operation.status !== 'InProgress' || remaining < 1000) return {};
    return { 'retry-after': String(Math.ceil(remaining / 1000)) };
  }
}

function read(row: unknown): Operation {
  return JSON.parse((row as { document: string }).document) as Operation;
}
