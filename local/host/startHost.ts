// The way in: loads an app, serves its HTTP functions, runs its Durable functions, listens for its other triggers.
import { join, resolve } from 'node:path';
import type { DurableManagement } from '../durable/client.ts';
import type { Clock } from '../durable/clock.ts';
import { loadApp } from './app.ts';
import { setCoreLog, type LoadError } from './coreModule.ts';
import { DurableHost } from './durableHost.ts';
import { Generation } from './generation.ts';
import { readHostJson } from './hostJson.ts';
import { Keys, newKey } from './http/keys.ts';
import { sendProblem } from './http/messages.ts';
import { HostLog } from './log.ts';
import { HostServer } from './server.ts';
import { HostState } from './state.ts';

export interface HostOptions {
  /** Holds package.json with `main`, and host.json. */
  appDirectory: string;
  /** Put into `process.env` before the app is loaded. */
  settings: Record<string, string>;
  /** Undefined keeps all state in memory. */
  dataDir?: string;
  port?: number;
  log?: (line: string) => void;
  /** How long `stop` waits for running invocations. */
  drainMilliseconds?: number;
  /** What timers and retries wait by. */
  clock?: Clock;
}

export interface RunningHost {
  endpoint: string;
  durable: DurableManagement;
  /** Opens functions with authLevel `function` or `admin`. */
  functionKey: string;
  functionNames: string[];
  /** Files and functions of the app that do not run, and why. */
  loadErrors: LoadError[];
  /** The webhook URL, with its key, for the Event Grid subscription of a function. */
  eventGridUrl(functionName: string): string;
  stop(): Promise<void>;
}

/** Starts the host. Rejects with the file or function and the reason when nothing of the app can run. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const appDirectory = resolve(options.appDirectory);
  const hostJson = readHostJson(appDirectory, { ...process.env, ...options.settings });
  Object.assign(process.env, options.settings);
  const settings = process.env;
  const log = new HostLog(options.log, hostJson.logging.logLevel['default'] ?? 'information');
  setCoreLog((level, category, message) => log.line(level, 'library', message, { category }));
  const app = await loadApp(appDirectory);
  const state = new HostState(options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'host.sqlite'));
  const keys = new Keys(settings['FUNCTIONS_KEY'] ?? (await rememberedKey(state, 'key.host')));
  const durable = new DurableHost({
    ...{ log, hostJson },
    databasePath: options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'durable.sqlite'),
    systemKey: await rememberedKey(state, 'key.durable'),
  });
  const server = new HostServer(log);
  const drain = options.drainMilliseconds ?? 5000;
  let current: Generation | undefined;
  try {
    const generation = await Generation.bind(app, hostJson, {
      ...{ log, settings, state, keys, clock: options.clock },
      eventGridKey: await rememberedKey(state, 'key.eventGrid'),
      extraInput: (type) => (type === 'durableClient' ? { json: durable.clientInput() } : undefined),
    });
    current = generation;
    await current.open();
    const endpoint = await server.listen(options.port ?? 0);
    // The SDK's client rewrites management URLs to localhost:7071 unless this names the host.
    process.env['WEBSITE_HOSTNAME'] = new URL(endpoint).host;
    durable.adopt(current.registrations, current.invoker);
    durable.start(endpoint);
    let isStopping = false;
    server.serve(endpoint, async (request, response, url) => {
      if (await durable.serve(request, response, url)) return;
      if (isStopping)
        return sendProblem(response, 503, 'Service Unavailable', 'The host is stopping.', { connection: 'close' });
      if (await generation.eventGrid.serve(request, response, url)) return;
      await generation.http.serve(request, response, url);
    });
    await current.listen();
    const stop = once(async () => {
      // First nothing new may start. The engine and the server go last, because a draining function may still call the
      // Durable client, which comes in over HTTP.
      isStopping = true;
      durable.quiesce();
      const answered = within(drain, server.idle());
      await generation.quiesce(drain);
      await answered;
      await durable.stop(Math.min(drain, engineGrace));
      await generation.terminate();
      await server.close();
      state.close();
    });
    const { eventGrid, loadErrors, registrations } = generation;
    const functionNames = [...registrations.functions.keys()];
    const eventGridUrl = (name: string) => endpoint + eventGrid.pathFor(name);
    return {
      ...{ endpoint, functionNames, loadErrors, eventGridUrl, stop },
      durable: durable.management,
      functionKey: keys.hostKey,
    };
  } catch (error) {
    await server.close();
    await current?.quiesce(0);
    await durable.stop(0);
    state.close();
    throw error;
  }
}

// What the engine's last episodes may take.
const engineGrace = 2000;

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timeout: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((done) => {
    timeout = setTimeout(done, milliseconds);
  });
  await Promise.race([work, expired]);
  clearTimeout(timeout);
}

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
