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
import { bindTriggers, type BoundTrigger } from './triggers/bindTriggers.ts';
import { EventGridFunctions } from './triggers/eventGrid.ts';

/** What the host lends to each generation. */
export interface HostParts {
  log: HostLog;
  settings: Settings;
  state: HostState;
  keys: Keys;
  eventGridKey: string;
  extraInput: ExtraInput;
  clock?: Clock | undefined;
}

// What settling and closing after the last invocation may take.
const triggerGrace = 2000;
const defaultBodyLimit = 104_857_600;

export class Generation {
  readonly hostJson: HostJson;
  /** Only what can run. */
  readonly registrations = new Registrations();
  readonly loadErrors: LoadError[] = [];
  readonly invoker: Invoker;
  readonly http: HttpFunctions;
  readonly eventGrid: EventGridFunctions;
  readonly #log: HostLog;
  #triggers: BoundTrigger[] = [];

  private constructor(app: Registrations, hostJson: HostJson, parts: HostParts) {
    const { log, settings, keys, extraInput } = parts;
    this.hostJson = hostJson;
    this.#log = log;
    Object.assign(this.registrations.hooks, app.hooks);
    this.registrations.model = app.model;
    this.invoker = new Invoker(this.registrations, log, extraInput);
    const { invoker } = this;
    this.http = new HttpFunctions({
      ...{ invoker, log, settings, keys },
      routePrefix: hostJson.extensions.http.routePrefix,
      bodyLimit: Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultBodyLimit),
    });
    this.eventGrid = new EventGridFunctions({ invoker, log, systemKey: parts.eventGridKey });
  }

  /** Makes listeners and routes; nothing runs yet. Rejects when no function can run. */
  static async bind(app: Registrations, hostJson: HostJson, parts: HostParts): Promise<Generation> {
    const generation = new Generation(app, hostJson, parts);
    const { invoker, http, eventGrid } = generation;
    const bound = await bindTriggers({ ...parts, registrations: app, invoker, hostJson, http, eventGrid });
    generation.#triggers = bound.triggers;
    for (const error of [...app.errors, ...bound.errors]) generation.#cannotRun(error);
    const failed = new Set(bound.errors.map((error) => error.function));
    for (const [name, registered] of app.functions)
      if (!failed.has(name)) generation.registrations.functions.set(name, registered);
    if (generation.registrations.functions.size === 0)
      throw new Error(generation.loadErrors.map(({ reason }) => reason).join('\n'));
    return generation;
  }

  /** Runs the app's start hooks; requests may come after this. */
  async open(): Promise<void> {
    const capabilities = await this.registrations.model?.getCapabilities({});
    this.http.streamUri = capabilities?.['HttpUri'];
    for (const hook of this.registrations.hooks.appStart) await hook({ hookData: {} });
  }

  /** Starts the listeners. */
  async listen(): Promise<void> {
    for (const { function: name, trigger } of this.#triggers) {
      try {
        await trigger.start();
      } catch (error) {
        this.#cannotRun({ function: name, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }

  #cannotRun(error: LoadError): void {
    this.loadErrors.push(error);
    this.#log.line('error', 'host', describeLoadError(error), { ...error });
  }

  /** Takes nothing new and resolves when everything has ended, at the latest after `drain` and a moment more. */
  async quiesce(drain: number): Promise<void> {
    const quiet = Promise.allSettled(this.#triggers.map(({ trigger }) => trigger.stop()));
    const left = await this.invoker.drain(drain);
    await Promise.race([quiet, new Promise((done) => setTimeout(done, triggerGrace).unref())]);
    if (left > 0) this.#log.line('warning', 'host', `${left} invocations were still running after ${drain} ms`);
  }

  /** Runs the app's end hooks. */
  async terminate(): Promise<void> {
    for (const hook of this.registrations.hooks.appTerminate) await hook({ hookData: {} });
  }
}
