// Event Grid's custom topics in the local Azure: the unmodified EventGridPublisherClient publishes CloudEvents, declared
// webhook subscriptions get them one by one, at least once. What is accepted is on the disk; what can't be delivered ends
// in a list of dead letters. It filters by event type only and must not grow the rest of Event Grid.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { closeServer, listenOnLoopback } from '../loopback.ts';
import { type DeadLetter, Outbox } from './outbox.ts';
import { Refusal, readEvents } from './publish.ts';
import { type Running, runSubscription, type SubscriptionOptions } from './subscription.ts';

export interface TopicOptions {
  name: string;
  /** The access key for `aeg-sas-key`; without one only bearer tokens are taken. */
  key?: string;
  subscriptions: SubscriptionOptions[];
}

export interface EventGridOptions {
  dataDir?: string | undefined;
  port?: number;
  tls: { key: string; cert: string };
  log?: (line: string) => void;
  topics: TopicOptions[];
  verifyToken: (jwt: string) => Promise<{ aud: string }>;
  /** How long to wait after the n-th failed attempt (from 0); for tests. */
  backoffMs?: (attempt: number) => number;
}

export interface RunningEventGrid {
  /** The URL to give to EventGridPublisherClient. */
  endpoint(topic: string): string;
  deadLetters(): DeadLetter[];
  stop(): Promise<void>;
}

// https://learn.microsoft.com/azure/event-grid/delivery-and-retry#retry-schedule, cut at half an hour.
const schedule = [10, 30, 60, 300, 600, 1800].map((seconds) => seconds * 1000);
const azureBackoff = (attempt: number): number => schedule[Math.min(attempt, schedule.length - 1)] ?? 10_000;

export async function startEventGrid(options: EventGridOptions): Promise<RunningEventGrid> {
  const { dataDir, tls, topics, verifyToken, log = () => {}, backoffMs = azureBackoff } = options;
  const outbox = new Outbox(dataDir === undefined ? ':memory:' : join(dataDir, 'eventgrid', 'eventgrid.db'));
  const idOf = (topic: TopicOptions, { name }: SubscriptionOptions) => `${topic.name}/${name}`;
  const running = new Map<string, Running>();
  for (const topic of topics) {
    for (const subscription of topic.subscriptions) {
      const id = idOf(topic, subscription);
      running.set(id, runSubscription(id, subscription, outbox, backoffMs, log));
    }
  }

  const publish = async (request: IncomingMessage): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'https://localhost');
    const topic = topics.find(({ name }) => pathname === pathOf(name));
    if (!topic) throw new Refusal(404, 'NotFound', 'There is no such topic');
    if (request.method !== 'POST') throw new Refusal(405, 'MethodNotAllowed', 'Events are posted');
    await authenticate(request, topic, verifyToken);
    const events = await readEvents(request);
    const takes = ({ includedEventTypes }: SubscriptionOptions, type: string) =>
      includedEventTypes?.includes(type) ?? true;
    const added = topic.subscriptions.map((subscription) => {
      const wanted = events.filter(({ type }) => takes(subscription, type));
      return outbox.add([idOf(topic, subscription)], wanted);
    });
    await Promise.all(added);
    for (const subscription of topic.subscriptions) running.get(idOf(topic, subscription))?.wake();
  };

  const active = new Set<Promise<void>>();
  const server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
    const work = publish(request)
      .then(
        () => response.writeHead(200, { 'content-length': 0 }).end(),
        (error: unknown) => {
          const known = error instanceof Refusal ? error : new Refusal(500, 'InternalServerError', String(error));
          log(`${request.method} ${request.url?.split('?')[0]}: ${known.status} ${known.message}`);
          if (!request.complete) response.setHeader('connection', 'close');
          response.writeHead(known.status, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ error: { code: known.code, message: known.message } }));
          request.resume();
        },
      )
      .then(() => undefined)
      .finally(() => active.delete(work));
    active.add(work);
  });
  const port = await listenOnLoopback(server, options.port);

  return {
    endpoint(name) {
      if (!topics.some((topic) => topic.name === name)) throw new Error(`There is no local topic '${name}'`);
      return `https://localhost:${port}${pathOf(name)}`;
    },
    deadLetters: () => outbox.deadLetters(),
    async stop() {
      await closeServer(server);
      await Promise.all([...active, ...[...running.values()].map((subscription) => subscription.stop())]);
      outbox.close();
    },
  };
}

/** In Azure each topic has a host of its own; here it has a path. */
function pathOf(topic: string): string {
  return `/${encodeURIComponent(topic)}/api/events`;
}

async function authenticate(
  request: IncomingMessage,
  topic: TopicOptions,
  verifyToken: EventGridOptions['verifyToken'],
): Promise<void> {
  const key = request.headers['aeg-sas-key'];
  if (typeof key === 'string' && topic.key !== undefined) {
    const [given, expected] = [Buffer.from(key), Buffer.from(topic.key)];
    if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  }
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (!token) throw new Refusal(401, 'Unauthorized', 'Give the access key of the topic, or a bearer token');
  const { aud } = await verifyToken(token).catch((error: unknown) => Promise.reject(unauthorized(String(error))));
  if (aud.replace(/\/+$/, '') !== 'https://eventgrid.azure.net') throw unauthorized(`The token is for ${aud}`);
}

function unauthorized(detail: string): Refusal {
  return new Refusal(401, 'Unauthorized', `The bearer token is not valid: ${detail}`);
}
