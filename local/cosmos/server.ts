// Cosmos DB for NoSQL in one process: the gateway's REST protocol as the unmodified @azure/cosmos client speaks it, on
// SQLite. Layers: rest/ (routing, authorization, headers) → operations/ (what an operation means) → sql/ (the query
// language) → store/ (tables, change numbers). It listens on loopback only, and answers a clear 400 to what it does not
// do (stored procedures, triggers, UDFs, users and resource tokens, conflict feeds, throughput shared by a database,
// spatial, vector and full-text search). It must not know who uses it: what exists comes in as data.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { tooLarge } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { VerifyToken } from './rest/auth.ts';
import { errorReply, type Reply, type Request, render } from './rest/message.ts';
import { route } from './rest/router.ts';
import { Store } from './store/store.ts';

export interface CosmosDatabaseDeclaration {
  name: string;
  containers: {
    name: string;
    partitionKey: { paths: string[]; kind?: string; version?: number };
    defaultTtl?: number;
    indexingPolicy?: JsonObject;
    uniqueKeyPolicy?: JsonObject;
    /** `{ retentionDuration }` in minutes: keeps all versions for so long. */
    changeFeedPolicy?: JsonObject;
    /** Request units a second; every 10,000 begun is a physical partition. */
    throughput?: number;
  }[];
}

export interface CosmosOptions {
  /** Where `cosmos.sqlite` lies; in memory when absent. */
  dataDir?: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** PEM. Without it the server speaks plain HTTP, which the client accepts with a key only. */
  tls?: { key: string; cert: string; ca?: string };
  log?: (line: string) => void;
  /** Made at start where they don't exist yet. */
  databases?: CosmosDatabaseDeclaration[];
  /** Base64. Without it no key is accepted. */
  masterKey?: string;
  /** Checks an Entra token; a rejection, or another audience than this account, is a 401. Without it no token is accepted. */
  verifyToken?: VerifyToken;
  /** Physical partitions of containers that are made without throughput; 1 if absent. */
  partitions?: number;
  /** Whether provisioned throughput is a limit (429) or only recorded. */
  isThrottled?: boolean;
  /** Milliseconds since 1970. */
  clock?: () => number;
}

export interface RunningCosmos {
  endpoint: string;
  stop(): Promise<void>;
}

// A batch may carry 2 MB; somewhat more is read, so that the refusal can be said instead of cutting the connection.
const MAX_BODY = 8 * 1024 * 1024;
const SWEEP_EVERY_MS = 1000;
const STOP_GRACE_MS = 1000;

/** Starts the server; it answers when the promise resolves. */
export async function startCosmos(options: CosmosOptions): Promise<RunningCosmos> {
  const { tls, log = () => {}, masterKey, verifyToken } = options;
  const { partitions, isThrottled } = options;
  const store = new Store(options.dataDir, options.clock ?? Date.now, {
    ...(partitions !== undefined && { partitions }),
    ...(isThrottled !== undefined && { isThrottled }),
  });
  await declare(store, options.databases ?? []);

  const auth = { masterKey, verifyToken };
  const scheme = tls ? 'https' : 'http';
  const answer = (message: IncomingMessage, response: ServerResponse) => {
    void handle(message, scheme, (request) => route(store, auth, request), log).then((reply) => {
      const { status, headers, body } = render(reply);
      if (!server.listening) headers.connection = 'close';
      response.writeHead(status, headers).end(body);
    });
  };
  const server = tls ? createHttpsServer({ key: tls.key, cert: tls.cert }, answer) : createHttpServer(answer);
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      store.close();
      reject(error);
    });
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;

  const sweeper = setInterval(() => {
    store.sweep().catch((error: unknown) => log(`cosmos: sweep failed: ${String(error)}`));
  }, SWEEP_EVERY_MS);
  sweeper.unref();

  const shutDown = async () => {
    clearInterval(sweeper);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const hurry = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    await closed;
    clearTimeout(hurry);
    store.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    endpoint: `${scheme}://localhost:${port}/`,
    stop: () => {
      stopped ??= shutDown();
      return stopped;
    },
  };
}

async function declare(store: Store, databases: CosmosDatabaseDeclaration[]): Promise<void> {
  await store.define((catalog) => {
    for (const { name, containers } of databases) {
      const database = catalog.databases.get(name) ?? catalog.createDatabase(name);
      for (const { name: id, partitionKey, throughput, ...policies } of containers) {
        const definition: JsonObject = { ...policies, id, partitionKey: { kind: 'Hash', ...partitionKey } };
        const existing = database.containers.get(id);
        if (existing) catalog.replaceContainer(existing, definition);
        else {
          const offer = throughput === undefined ? undefined : { throughput, isAutoscale: false };
          catalog.createContainer(name, definition, offer);
        }
      }
    }
  });
}

async function handle(
  message: IncomingMessage,
  scheme: string,
  serve: (request: Request) => Promise<Reply>,
  log: (line: string) => void,
): Promise<Reply> {
  try {
    const body = await readBody(message);
    const [pathname = ''] = (message.url ?? '/').split('?');
    const path = pathname.split('/').filter(Boolean).map(decodeSegment);
    const origin = `${scheme}://${message.headers.host ?? 'localhost'}`;
    return await serve({ method: message.method ?? 'GET', path, headers: message.headers, body, origin });
  } catch (error) {
    return errorReply(error, log);
  }
}

/** By events: every request comes by here, and an async iterator takes longer than the rest of a point read. */
function readBody(message: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  message.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  });
  message.on('end', () => {
    if (size > MAX_BODY) reject(tooLarge());
    else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
  });
  message.on('error', reject);
  return promise;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
