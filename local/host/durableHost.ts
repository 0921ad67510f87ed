// Ties the Durable engine to the app: its functions run through the invoker, its management API is served on the host's
// port, and functions with a `durableClient` input get the data the SDK's client is made from.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DurableManagement } from '../durable/client.ts';
import { Engine } from '../durable/engine.ts';
import { handleManagement } from '../durable/httpApi.ts';
import { readFailure } from '../durable/wire.ts';
import { openDatabase } from '../sqlite.ts';
import type { RegisteredFunction, Registrations } from './coreModule.ts';
import type { HostJson } from './hostJson.ts';
import { checkEncoding, readBody, saysJson } from './http/body.ts';
import { givenKey, type Keys } from './http/keys.ts';
import { Refusal } from './http/refusals.ts';
import type { Invoker } from './invoke.ts';
import type { HostLog } from './log.ts';

const webhookPath = '/runtime/webhooks/durabletask';
const bodyLimit = 16 * 1024 * 1024;
// Azure keeps ended instances until somebody purges them; a laptop's disk is smaller.
const keepEnded = 30 * 86_400_000;

export class DurableHost {
  readonly management: DurableManagement;
  readonly #engine: Engine;
  readonly #hubName: string;
  readonly #keys: Keys;
  readonly #rpcPath = `/durabletask/rpc/${randomBytes(16).toString('hex')}`;
  #endpoint = '';
  #functions: DurableFunctions = { orchestration: new Map(), activity: new Map() };
  #invoker: Invoker | undefined;

  constructor(options: {
    log: HostLog;
    hostJson: HostJson;
    databasePath: string;
    keys: Keys;
  }) {
    const { log } = options;
    const { durableTask } = options.hostJson.extensions;
    this.#hubName = durableTask.hubName;
    this.#keys = options.keys;
    this.#engine = new Engine({
      database: openDatabase(options.databasePath),
      has: (kind, name) => this.#functions[kind].has(name),
      invoke: async ({ kind, name, json, instanceId }) => {
        const target = this.#functions[kind].get(name);
        const invoker = this.#invoker;
        if (!target || !invoker) throw new Error(`The ${kind} function "${name}" does not exist.`);
        try {
          return (await invoker.invoke(target, { data: { json }, instanceId })).result;
        } catch (error) {
          // A failed orchestrator throws its whole state as JSON; the line needs only the message in it.
          const cause = kind === 'activity' ? error : readFailure(error, name).error?.message;
          log.failed(name, kind, cause, { instanceId });
          throw error;
        }
      },
      ...(durableTask.maxConcurrentActivityFunctions && { maxActivities: durableTask.maxConcurrentActivityFunctions }),
      ...(durableTask.maxConcurrentOrchestratorFunctions && {
        maxEpisodes: durableTask.maxConcurrentOrchestratorFunctions,
      }),
      ...(durableTask.defaultVersion !== undefined && {
        versions: {
          default: durableTask.defaultVersion,
          match: durableTask.versionMatchStrategy,
          onMismatch: durableTask.versionFailureStrategy,
        },
      }),
      retention: keepEnded,
      log: (line) => log.line('error', 'durable', line),
    });
    this.management = new DurableManagement(this.#engine);
  }

  /** Goes over to the functions of an app; what runs ends in those it began with. */
  adopt(registrations: Registrations, invoker: Invoker): void {
    this.#functions = durableFunctions(registrations);
    this.#invoker = invoker;
  }

  start(endpoint: string): void {
    this.#endpoint = endpoint;
    this.#engine.start();
  }

  /** Starts no more activities. */
  quiesce(): void {
    this.#engine.quiesce();
  }

  async stop(drainMilliseconds: number): Promise<void> {
    await this.#engine.stop(drainMilliseconds);
  }

  /** The data of a `durableClient` input (OrchestrationClientInputData of durable-functions 3.5.0). */
  clientInput(): string {
    const base = this.#endpoint + webhookPath;
    const key = this.#keys.systemKey('durable');
    const query = `taskHub=${this.#hubName}&connection=Storage&code=${key}`;
    return JSON.stringify({
      taskHubName: this.#hubName,
      creationUrls: {
        createNewInstancePostUri: `${base}/orchestrators/{functionName}[/{instanceId}]?code=${key}`,
      },
      managementUrls: this.#links('INSTANCEID'),
      baseUrl: base,
      requiredQueryStringParameters: query,
      rpcBaseUrl: `${this.#endpoint}${this.#rpcPath}/`,
    });
  }

  /** Serves both forms of the management API; false when the path is none of theirs. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    const isRpc = url.pathname.startsWith(`${this.#rpcPath}/`);
    const isWebhook = url.pathname.startsWith(`${webhookPath}/`);
    if (!isRpc && !isWebhook) return false;
    if (isWebhook && !this.#keys.opensWebhook('durable', givenKey(request, url)))
      throw new Refusal(401, 'The durable system key is needed: query code or header x-functions-key.');
    checkEncoding(request);
    // https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api#raise-event
    if (isWebhook && /\/raiseEvent\//i.test(url.pathname) && !saysJson(request))
      throw new Refusal(400, 'The request content must be of type application/json.');
    const token = request.headers['x-ms-continuation-token'];
    const answer = await handleManagement(
      this.management,
      {
        method: request.method ?? 'GET',
        path: url.pathname.slice((isRpc ? this.#rpcPath : webhookPath).length),
        query: url.searchParams,
        continuationToken: typeof token === 'string' && token !== '' ? token : undefined,
        body: (await readBody(request, bodyLimit)).toString('utf8'),
      },
      (id) => this.#links(id),
    );
    if (isWebhook && answer.status >= 400 && typeof answer.body === 'string')
      throw new Refusal(answer.status, answer.body, answer.headers);
    const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
    const isUnfinished = request.method === 'GET' && answer.status === 202;
    response.writeHead(answer.status, {
      ...answer.headers,
      ...(isUnfinished && { location: url.href, 'retry-after': '5' }),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
    return true;
  }

  #links(id: string): Record<string, string> {
    const base = `${this.#endpoint}${webhookPath}/instances/${id === 'INSTANCEID' ? id : encodeURIComponent(id)}`;
    const query = `taskHub=${this.#hubName}&connection=Storage&code=${this.#keys.systemKey('durable')}`;
    return {
      id,
      statusQueryGetUri: `${base}?${query}`,
      sendEventPostUri: `${base}/raiseEvent/{eventName}?${query}`,
      terminatePostUri: `${base}/terminate?reason={text}&${query}`,
      rewindPostUri: `${base}/rewind?reason={text}&${query}`,
      purgeHistoryDeleteUri: `${base}?${query}`,
      suspendPostUri: `${base}/suspend?reason={text}&${query}`,
      resumePostUri: `${base}/resume?reason={text}&${query}`,
    };
  }
}

type DurableFunctions = Record<'orchestration' | 'activity', Map<string, RegisteredFunction>>;

function durableFunctions(registrations: Registrations): DurableFunctions {
  const found: DurableFunctions = { orchestration: new Map(), activity: new Map() };
  for (const registered of registrations.functions.values()) {
    for (const { type } of Object.values(registered.metadata.bindings)) {
      if (type === 'orchestrationTrigger') found.orchestration.set(registered.metadata.name, registered);
      if (type === 'activityTrigger') found.activity.set(registered.metadata.name, registered);
    }
  }
  return found;
}
