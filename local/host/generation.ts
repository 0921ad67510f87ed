// The app as it was loaded once: what it registered, made reachable. A reload makes a new generation beside the one that
// runs and goes over to it; state, keys, port and Durable engine belong to the host and outlive both.
import type { Clock } from '../durable/clock.ts';
import { describeLoadError } from './app.ts';
import { Registrations, type LoadError } from './coreModule.ts';
import type { HostJson } from './hostJson.ts';
import { HttpFunctions } from './http/functions.ts';
import type { Keys } from './http/keys.ts';
import { Invoker, type ExtraInput } from './invoke.ts';
import type { HostLog } from './log.ts';
import type { Settings } from './settings.ts';
import type { HostState } from './state.ts';
import { placed } from './place.ts';
import type { SpanSource } from './telemetry/spans.ts';
import { bindTriggers, type BoundTrigger } from './triggers/bindTriggers.ts';
import { EventGridFunctions } from './triggers/eventGrid.ts';

/** What the host lends to each generation. */
export interface HostParts {
  log: HostLog;
  settings: Settings;
  state: HostState;
  keys: Keys;
  extraInput: ExtraInput;
  spans: SpanSource | undefined;
  clock?: Clock | undefined;
}

// What settling and closing after the last invocation may take.
const triggerGrace = 2000;
const defaultBodyLimit = 104_857_600;

export class Generation {
  /** Only what can run. */
  readonly registrations = new Registrations();
  readonly loadErrors: LoadError[] = [];
  readonly invoker: Invoker;
  readonly http: HttpFunctions;
  readonly eventGrid: EventGridFunctions;
  readonly #log: HostLog;
  #triggers: BoundTrigger[] = [];
  #isClosed = false;

  private constructor(app: Registrations, hostJson: HostJson, parts: HostParts) {
    const { log, settings, keys, extraInput, spans } = parts;
    this.#log = log;
    Object.assign(this.registrations.hooks, app.hooks);
    this.registrations.model = app.model;
    this.invoker = new Invoker(this.registrations, log, extraInput, spans, hostJson.functionTimeout);
    const { invoker } = this;
    this.http = new HttpFunctions({
      ...{ invoker, log, settings, keys },
      http: hostJson.extensions.http,
      bodyLimit: Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultBodyLimit),
    });
    this.eventGrid = new EventGridFunctions({ invoker, log, keys });
  }

  /** Makes listeners and routes; nothing runs yet. Rejects when no function can run. */
  static async bind(app: Registrations, hostJson: HostJson, parts: HostParts): Promise<Generation> {
    const generation = new Generation(app, hostJson, parts);
    const { invoker, http, eventGrid } = generation;
    const bound = await bindTriggers({ ...parts, registrations: app, invoker, hostJson, http, eventGrid });
    generation.#triggers = bound.triggers;
    generation.loadErrors.push(...app.errors, ...bound.errors);
    const failed = new Set(bound.errors.map((error) => error.function));
    for (const [name, registered] of app.functions)
      if (!failed.has(name)) generation.registrations.functions.set(name, registered);
    if (generation.registrations.functions.size === 0)
      throw new Error(generation.loadErrors.map(describeLoadError).join('\n'));
    return generation;
  }

  /** Runs the app's start hooks; requests may come after this. */
  async open(): Promise<void> {
    const capabilities = await this.registrations.model?.getCapabilities({});
    this.http.streamUri = capabilities?.['HttpUri'];
    for (const hook of this.registrations.hooks.appStart) await hook({ hookData: {} });
  }

  /** Starts each listener when its predecessor, if it has one, has ended. */
  async listen(predecessors: ReadonlyMap<string, Promise<void>> = new Map()): Promise<void> {
    const start = async ({ function: name, place, trigger }: BoundTrigger) => {
      await predecessors.get(name);
      if (this.#isClosed) return;
      try {
        await trigger.start();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const reason = placed(`Function "${name}": ${message}`, place);
        this.loadErrors.push({ function: name, reason });
        this.#log.line('error', name, `does not listen: ${reason}`);
      }
    };
    await Promise.all(this.#triggers.map(start));
  }

  /** Takes nothing new; answers, by function, when what was taken has been settled. */
  stopListening(): Map<string, Promise<void>> {
    this.#isClosed = true;
    const stopped = ({ function: name, trigger }: BoundTrigger): [string, Promise<void>] => [
      name,
      trigger.stop().catch((error: unknown) => this.#log.line('warning', name, `stopping: ${String(error)}`)),
    ];
    return new Map(this.#triggers.map(stopped));
  }

  /** Resolves when no invocation runs. */
  async ended(): Promise<void> {
    await this.invoker.drain();
  }

  /** Takes nothing new and resolves when everything has ended, at the latest after `drain` and a moment more. */
  async quiesce(drain: number): Promise<void> {
    const quiet = Promise.all(this.stopListening().values());
    const left = await this.invoker.drain(drain);
    await Promise.race([quiet, new Promise((done) => setTimeout(done, triggerGrace).unref())]);
    if (left > 0)
      this.#log.line('warning', 'host', `stopped, although invocations still ran after ${drain} ms: ${left}`);
  }

  /** Runs the app's end hooks. */
  async terminate(): Promise<void> {
    for (const hook of this.registrations.hooks.appTerminate) await hook({ hookData: {} });
  }
}
