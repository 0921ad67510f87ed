// The way in: loads an app, serves its HTTP functions, runs its Durable functions, listens for its other triggers.
import { join, resolve } from 'node:path';
import type { DurableManagement } from '../durable/client.ts';
import type { Clock } from '../durable/clock.ts';
import { setCoreLog, type LoadError } from './coreModule.ts';
import { DurableHost } from './durableHost.ts';
import { readHostJson } from './hostJson.ts';
import { AdminApi } from './http/admin.ts';
import { answerCors } from './http/front.ts';
import { KeyFile, newKey } from './http/keyFile.ts';
import { Keys } from './http/keys.ts';
import { Refusal } from './http/refusals.ts';
import { LiveApp, type ReloadOutcome } from './liveApp.ts';
import { HostLog } from './log.ts';
import { Reloads } from './reloads.ts';
import { HostServer } from './server.ts';
import { applySettings, readLocalSettings } from './settings.ts';
import { HostState } from './state.ts';
import { catchStrays } from './strays.ts';
import { startSpans, type SpanSource } from './telemetry/spans.ts';
import { watchApp } from './watch.ts';
import { within } from './within.ts';

export interface HostOptions {
  /** Holds package.json with `main`, and host.json. */
  appDirectory: string;
  /** Put into `process.env` before the app is loaded. They win over the environment, and that over local.settings.json. */
  settings: Record<string, string>;
  /** False leaves local.settings.json of the app alone. */
  localSettings?: boolean;
  /** Undefined keeps all state in memory. */
  dataDir?: string;
  port?: number;
  /** Loads the app anew when its files change; the port, CORS, keys and durableTask of host.json stay until a restart. */
  watch?: boolean;
  log?: (line: string) => void;
  /** How long `stop` waits for running invocations. */
  drainMilliseconds?: number;
  /** What timers and retries wait by. */
  clock?: Clock;
}

export interface RunningHost {
  endpoint: string;
  durable: DurableManagement;
  /** Opens every function and webhook, and the administration API below /admin. */
  masterKey: string;
  functionNames: string[];
  /** Files and functions of the app that do not run, and why. */
  loadErrors: LoadError[];
  /** The webhook URL, with its key, for the Event Grid subscription of a function. */
  eventGridUrl(functionName: string): string;
  /** With `watch`: the outcome of the next time that the app is loaded anew. */
  nextReload(): Promise<ReloadOutcome>;
  stop(): Promise<void>;
}

/** Starts the host. Rejects with the file or function and the reason when nothing of the app can run. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { dataDir } = options;
  const appDirectory = resolve(options.appDirectory);
  const readLocal = () => (options.localSettings === false ? undefined : readLocalSettings(appDirectory));
  const local = readLocal();
  const settings = applySettings(options.settings, local?.values ?? {});
  const hostJson = readHostJson(appDirectory, settings);
  const log = new HostLog(options.log, hostJson.logging.logLevel);
  setCoreLog((level, category, message) => log.line(level, 'library', message, { about: category }));
  const state = new HostState(options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'host.sqlite'));
  const keys = new Keys(state, new KeyFile(options.dataDir), settings['FUNCTIONS_KEY']);
  const durable = new DurableHost({
    ...{ log, hostJson },
    databasePath: options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'durable.sqlite'),
    keys,
  });
  const server = new HostServer(log);
  const drain = options.drainMilliseconds ?? 5000;
  let app: LiveApp | undefined;
  let spans: SpanSource | undefined;
  const releaseStrays = catchStrays(appDirectory, log);
  try {
    spans = await startSpans(settings, () => rememberedKey(state, 'telemetry.seed'), log);
    const extraInput = (type: string) => (type === 'durableClient' ? { json: durable.clientInput() } : undefined);
    const configure = () => {
      const now = readHostJson(appDirectory, applySettings(options.settings, readLocal()?.values ?? {}));
      log.setLevels(now.logging.logLevel);
      return now;
    };
    const live = await LiveApp.load(
      {
        appDirectory,
        parts: { log, settings, state, keys, spans, extraInput, clock: options.clock },
        configure,
        adopt: ({ registrations, invoker }) => durable.adopt(registrations, invoker),
      },
      hostJson,
    );
    app = live;
    const endpoint = await server.listen(options.port ?? local?.port ?? 0);
    // The SDK's client rewrites management URLs to localhost:7071 unless this names the host.
    process.env['WEBSITE_HOSTNAME'] = new URL(endpoint).host;
    durable.start(endpoint);
    const admin = new AdminApi(keys, log, () => ({
      functions: [...live.current.registrations.functions.values()].map(({ metadata }) => metadata),
      loadErrors: live.current.loadErrors,
    }));
    let isStopping = false;
    server.serve(endpoint, async (request, response, url) => {
      if (answerCors(local?.cors, request, response)) return;
      if (await durable.serve(request, response, url)) return;
      if (isStopping) throw new Refusal(503, 'The host is stopping.', { connection: 'close' });
      if (await admin.serve(request, response, url)) return;
      if (await live.current.eventGrid.serve(request, response, url)) return;
      await live.current.http.serve(request, response, url);
    });
    await live.start();
    const reloads = new Reloads(() => live.reload());
    const unwatch = options.watch
      ? watchApp({ appDirectory, ignored: dataDir === undefined ? [] : [dataDir], ...hostJson }, reloads.changed)
      : () => {};
    const stop = once(async () => {
      // First nothing new may start. The engine and the server go last, because a draining function may still call the
      // Durable client, which comes in over HTTP.
      isStopping = true;
      unwatch();
      reloads.close();
      durable.quiesce();
      const answered = within(drain, server.idle());
      await live.quiesce(drain);
      await answered;
      await durable.stop(Math.min(drain, grace));
      await live.terminate();
      await server.close();
      await within(Math.min(drain, grace), spans?.stop());
      state.close();
      releaseStrays();
    });
    return {
      ...{ endpoint, stop, durable: durable.management, masterKey: keys.masterKey },
      get functionNames() {
        return [...live.current.registrations.functions.keys()];
      },
      get loadErrors() {
        return live.current.loadErrors;
      },
      eventGridUrl: (name) => endpoint + live.current.eventGrid.pathFor(name),
      nextReload: () => reloads.next(),
    };
  } catch (error) {
    await server.close();
    await app?.quiesce(0);
    await durable.stop(0);
    await within(grace, spans?.stop());
    state.close();
    releaseStrays();
    throw error;
  }
}

// What the engine's last episodes, and then the last spans, may take.
const grace = 2000;

async function rememberedKey(state: HostState, name: string): Promise<string> {
  const known = state.get(name);
  if (typeof known === 'string') return known;
  const key = newKey();
  await state.set(name, key);
  return key;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
