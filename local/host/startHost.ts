// The way in: loads an app, serves its HTTP functions, runs its Durable functions, listens for its other triggers.
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { DurableManagement } from '../durable/client.ts';
import { loadApp } from './app.ts';
import { programmingModel, setCoreLog, type Registrations } from './coreModule.ts';
import { DurableHost } from './durableHost.ts';
import { readHostJson } from './hostJson.ts';
import { HttpFunctions } from './http/functions.ts';
import { Keys, newKey } from './http/keys.ts';
import { sendProblem } from './http/messages.ts';
import { Invoker } from './invoke.ts';
import { HostLog } from './log.ts';
import { HostState } from './state.ts';
import { bindTriggers } from './triggers/bindTriggers.ts';
import { EventGridFunctions } from './triggers/eventGrid.ts';
import type { Trigger } from './triggers/trigger.ts';

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
}

export interface RunningHost {
  endpoint: string;
  durable: DurableManagement;
  /** Opens functions with authLevel `function` or `admin`. */
  functionKey: string;
  functionNames: string[];
  /** The webhook URL, with its key, for the Event Grid subscription of a function. */
  eventGridUrl(functionName: string): string;
  stop(): Promise<void>;
}

// What settling and closing after the last invocation may take.
const triggerGrace = 2000;
const defaultBodyLimit = 104_857_600;

/** Starts the host. Rejects with the file or function and the reason when the app cannot run. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const appDirectory = resolve(options.appDirectory);
  const hostJson = readHostJson(appDirectory, { ...process.env, ...options.settings });
  Object.assign(process.env, options.settings);
  const settings = process.env;
  const log = new HostLog(options.log, hostJson.logging.logLevel['default'] ?? 'information');
  setCoreLog((level, category, message) => log.line(level, 'library', message, { category }));
  const registrations = await loadApp(appDirectory);
  const state = new HostState(options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'host.sqlite'));
  const keys = new Keys(settings['FUNCTIONS_KEY'] ?? (await rememberedKey(state, 'key.host')));
  const durableInput = (type: string) => (type === 'durableClient' ? { json: durable.clientInput() } : undefined);
  const invoker = new Invoker(registrations, log, durableInput);
  const durable = new DurableHost({
    ...{ registrations, invoker, log, hostJson },
    databasePath: options.dataDir === undefined ? ':memory:' : join(options.dataDir, 'durable.sqlite'),
    systemKey: await rememberedKey(state, 'key.durable'),
  });
  const http = new HttpFunctions({
    ...{ invoker, log, settings, keys },
    routePrefix: hostJson.extensions.http.routePrefix,
    bodyLimit: Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? defaultBodyLimit),
  });
  const eventGrid = new EventGridFunctions({ invoker, log, systemKey: await rememberedKey(state, 'key.eventGrid') });
  const server = createServer({ keepAliveTimeout: 60_000 });
  let triggers: Trigger[] = [];
  try {
    triggers = await bindTriggers({ registrations, invoker, log, hostJson, settings, state, http, eventGrid });
    const capabilities = await programmingModel()?.getCapabilities({});
    http.streamUri = capabilities?.['HttpUri'];
    for (const hook of registrations.hooks.appStart) await hook({ hookData: {} });
    const endpoint = await listen(server, options.port ?? 0);
    // The SDK's client rewrites management URLs to localhost:7071 unless this names the host.
    process.env['WEBSITE_HOSTNAME'] = new URL(endpoint).host;
    durable.start(endpoint);
    serve(server, endpoint, [durable, eventGrid], http, log);
    for (const trigger of triggers) await trigger.start();
    const stop = once(() =>
      stopHost({
        http,
        server,
        triggers,
        invoker,
        durable,
        state,
        registrations,
        log,
        drain: options.drainMilliseconds ?? 5000,
      }),
    );
    const functionNames = [...registrations.functions.keys()];
    const eventGridUrl = (name: string) => endpoint + eventGrid.pathFor(name);
    return { endpoint, durable: durable.management, functionKey: keys.hostKey, functionNames, eventGridUrl, stop };
  } catch (error) {
    server.close();
    await Promise.allSettled(triggers.map((trigger) => trigger.stop()));
    await durable.stop(0);
    state.close();
    throw error;
  }
}

function serve(
  server: Server,
  endpoint: string,
  webhooks: readonly (DurableHost | EventGridFunctions)[],
  http: HttpFunctions,
  log: HostLog,
): void {
  server.on('request', (request, response) => {
    const answer = async () => {
      const url = new URL(request.url ?? '/', `http://${request.headers.host ?? new URL(endpoint).host}`);
      for (const webhook of webhooks) if (await webhook.serve(request, response, url)) return;
      await http.serve(request, response, url);
    };
    answer().catch((error: unknown) => {
      log.line('error', 'http', `request failed: ${String(error)}`);
      sendProblem(response, 500, 'Internal Server Error');
    });
  });
}

async function stopHost(running: {
  http: HttpFunctions;
  server: Server;
  triggers: Trigger[];
  invoker: Invoker;
  durable: DurableHost;
  state: HostState;
  registrations: Registrations;
  log: HostLog;
  drain: number;
}): Promise<void> {
  const { server, http, triggers, invoker, durable, state, registrations, log, drain } = running;
  // First nothing new may start. The engine and the server go last, because a draining function may still call the
  // Durable client, which comes in over HTTP.
  http.isStopping = true;
  durable.quiesce();
  const quiet = Promise.allSettled(triggers.map((trigger) => trigger.stop()));
  const left = await invoker.drain(drain);
  await Promise.race([quiet, new Promise((done) => setTimeout(done, triggerGrace).unref())]);
  await durable.stop(Math.min(drain, triggerGrace));
  if (left > 0) log.line('warning', 'host', `stopped while ${left} invocations were still running`);
  for (const hook of registrations.hooks.appTerminate) await hook({ hookData: {} });
  await new Promise<void>((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
  state.close();
}

const listen = (server: Server, port: number): Promise<string> =>
  new Promise((done, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      done(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`);
    });
  });

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
