// The app that runs, and going over from one version of it to the next without losing anything: what runs ends in the
// code it began with, a listener starts when its predecessor has settled what it took, and a version that does not load
// changes nothing.
import { describeLoadError, loadApp, reloadApp } from './app.ts';
import type { LoadError } from './coreModule.ts';
import { Generation, type HostParts } from './generation.ts';
import type { HostJson } from './hostJson.ts';

export interface ReloadOutcome {
  /** False when the app runs on as it was. */
  isAdopted: boolean;
  /** What of the new version did not load. */
  loadErrors: LoadError[];
  /** Why nothing of it could be used. */
  reason?: string;
}

export interface LiveAppOptions {
  appDirectory: string;
  parts: HostParts;
  /** Reads settings and host.json as they are now. */
  configure: () => HostJson;
  /** Called when a generation takes over. */
  adopt: (generation: Generation) => void;
}

export class LiveApp {
  readonly #options: LiveAppOptions;
  readonly #retiring = new Set<Generation>();
  #current: Generation;
  #isClosed = false;

  private constructor(options: LiveAppOptions, first: Generation) {
    this.#options = options;
    this.#current = first;
  }

  /** Loads the app for the first time; `start` starts its listeners. */
  static async load(options: LiveAppOptions, hostJson: HostJson): Promise<LiveApp> {
    const app = await loadApp(options.appDirectory);
    const first = await Generation.bind(app, hostJson, options.parts);
    for (const error of first.loadErrors)
      options.parts.log.line('error', 'host', describeLoadError(error), { ...error });
    await first.open();
    options.adopt(first);
    return new LiveApp(options, first);
  }

  get current(): Generation {
    return this.#current;
  }

  async start(): Promise<void> {
    await this.#current.listen();
  }

  /** Loads the app as it is on disk now and goes over to it, unless something that runs would not. */
  async reload(): Promise<ReloadOutcome> {
    const { log } = this.#options.parts;
    let next: Generation;
    try {
      const hostJson = this.#options.configure();
      const app = await reloadApp(this.#options.appDirectory);
      const failed = this.#newFailures(app.errors);
      if (failed.length > 0) return this.#refuse(failed);
      next = await Generation.bind(app, hostJson, this.#options.parts);
      const unusable = this.#newFailures(next.loadErrors);
      if (unusable.length > 0) return this.#refuse(unusable);
      await next.open();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#isClosed) return { isAdopted: false, loadErrors: [], reason };
      log.line('error', 'host', `the app runs on as it was, its new version does not: ${reason}`);
      return { isAdopted: false, loadErrors: [], reason };
    }
    if (this.#isClosed) return { isAdopted: false, loadErrors: [], reason: 'The host stops.' };
    await this.#goOver(next);
    log.line('information', 'host', `the app was loaded anew: ${next.registrations.functions.size} functions`);
    return { isAdopted: true, loadErrors: next.loadErrors };
  }

  /** Takes nothing new; resolves when what runs has ended, or after `drain` and a moment more. */
  async quiesce(drain: number): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#current, ...this.#retiring].map((generation) => generation.quiesce(drain)));
  }

  /** Runs the app's end hooks. */
  async terminate(): Promise<void> {
    for (const generation of [...this.#retiring, this.#current]) await generation.terminate();
  }

  async #goOver(next: Generation): Promise<void> {
    const old = this.#current;
    this.#retiring.add(old);
    this.#current = next;
    this.#options.adopt(next);
    await next.listen(old.stopListening());
    await old.ended();
    if (this.#isClosed) return;
    this.#retiring.delete(old);
    await old.terminate().catch((error: unknown) => this.#options.parts.log.failed('appTerminate', 'hook', error));
  }

  // What has failed before may fail again; it must not hold up the rest.
  #newFailures(errors: readonly LoadError[]): LoadError[] {
    const known = new Set(this.#current.loadErrors.map(subject));
    return errors.filter((error) => !known.has(subject(error)));
  }

  #refuse(failed: LoadError[]): ReloadOutcome {
    for (const error of failed)
      this.#options.parts.log.line('error', 'host', `the app runs on as it was. ${describeLoadError(error)}`, {
        ...error,
      });
    return { isAdopted: false, loadErrors: failed };
  }
}

const subject = (error: LoadError): string => ('file' in error ? `file ${error.file}` : error.function);
