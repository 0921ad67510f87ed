// Blob Storage of the local Azure, as far as disks need it: page blobs with snapshots, diffs, copies and leases, and
// block blobs of one piece beside them. The unmodified @azure/storage-blob is its client. Bytes lie in sparse layer files,
// everything else in a catalogue in SQLite; nothing is acknowledged before both are on the disk. What it can't do it
// answers with NotImplemented: it must never accept a request and do less than it says.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeServer, listenOnLoopback } from '../loopback.ts';
import { GroupCommit, openDatabase } from '../sqlite.ts';
import { authenticate, sasAccess, type VerifyToken } from './auth.ts';
import type { Answer, Call } from './call.ts';
import { findBlob, removeOrphans, type Store } from './catalogue.ts';
import { copyToFile } from './content.ts';
import { NotModified, StorageError } from './errors.ts';
import { Layers } from './layers.ts';
import { Locks } from './locks.ts';
import { refuseUnsupported, routeOf } from './routes.ts';
import type { SasKeys } from './sas.ts';
import { Sql } from './sql.ts';
import { targetOf } from './target.ts';

export interface StorageOptions {
  /** undefined keeps everything in a temporary directory that goes with `stop`. */
  dataDir?: string | undefined;
  port?: number;
  tls: { key: string; cert: string };
  log?: (line: string) => void;
  /** Accounts with their keys (base64), which sign service SAS. */
  accounts: { name: string; key: string }[];
  verifyToken: VerifyToken;
}

export interface BlobReader {
  size: number;
  /** Writes the blob to a file, with holes where it holds nothing. */
  copyTo(path: string): Promise<void>;
}

export interface RunningStorage {
  /** `https://localhost:port`; an account's URL is this and its name. */
  endpoint: string;
  /** Opens a blob, or with `snapshot=` one of its snapshots, for other local parts: no signature is asked for. */
  openBlob(url: string): Promise<BlobReader>;
  stop(): Promise<void>;
}

export async function startStorage(options: StorageOptions): Promise<RunningStorage> {
  const { dataDir, tls, accounts, verifyToken, log = () => {} } = options;
  const folder = dataDir === undefined ? mkdtempSync(join(tmpdir(), 'landfall-storage-')) : join(dataDir, 'storage');
  const database = openDatabase(join(folder, 'storage.db'));
  const commit = new GroupCommit(database);
  const store: Store = {
    sql: new Sql(database),
    commit,
    layers: new Layers(join(folder, 'layers')),
    locks: new Locks(),
  };
  removeOrphans(store);
  const keys: SasKeys = {
    accountKeys: new Map(accounts.map(({ name, key }) => [name, Buffer.from(key, 'base64')])),
    delegationSecret: await delegationSecret(store),
  };
  const running = new Set<Promise<void>>();
  let endpoint = '';

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = randomUUID();
    const common = commonHeaders(request, requestId);
    try {
      const url = new URL(request.url ?? '/', endpoint);
      const target = targetOf(url);
      if (!keys.accountKeys.has(target.account))
        throw new StorageError('ResourceNotFound', 'There is no such account.');
      const access = await authenticate(request, url, target, keys, verifyToken);
      const call: Call = {
        ...target,
        store,
        request,
        url,
        access,
        endpoint,
        method: request.method ?? 'GET',
        query: url.searchParams,
        delegationSecret: keys.delegationSecret,
        checkSource: (source) => sasAccess(source, targetOf(source), keys, request.socket.remoteAddress ?? ''),
      };
      refuseUnsupported(call);
      const answer = await routeOf(call)(call);
      request.resume();
      await send(response, answer, common);
    } catch (error) {
      await sendError(request, response, error, requestId, common, log);
    }
  };
  const server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
    const work = handle(request, response).finally(() => running.delete(work));
    running.add(work);
  });
  endpoint = `https://localhost:${await listenOnLoopback(server, options.port)}`;

  return {
    endpoint,
    async openBlob(url) {
      const { account, container, blob: name, snapshot } = targetOf(new URL(url));
      const blob = findBlob(store, { account, container, name }, snapshot);
      if (!blob) throw new StorageError('BlobNotFound', `There is no blob ${account}/${container}/${name} ${snapshot}`);
      return { size: blob.size, copyTo: (path) => copyToFile(store, blob, path) };
    },
    async stop() {
      await closeServer(server);
      await Promise.allSettled(running);
      await store.layers.close();
      commit.close();
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function commonHeaders(request: IncomingMessage, requestId: string): Record<string, string> {
  const version = request.headers['x-ms-version'];
  const clientId = request.headers['x-ms-client-request-id'];
  return {
    'x-ms-request-id': requestId,
    'x-ms-version': typeof version === 'string' ? version : '2020-12-06',
    ...(typeof clientId === 'string' && { 'x-ms-client-request-id': clientId }),
  };
}

async function send(response: ServerResponse, answer: Answer, common: Record<string, string>): Promise<void> {
  const { status, headers = {}, body } = answer;
  const isText = typeof body === 'string';
  for (const [name, value] of Object.entries({ ...common, ...headers })) {
    if (value !== undefined) response.setHeader(name, value);
  }
  if (!response.hasHeader('content-length')) response.setHeader('content-length', isText ? Buffer.byteLength(body) : 0);
  response.writeHead(status);
  if (typeof body === 'object') for await (const piece of body) await write(response, piece);
  response.end(isText ? body : undefined);
}

/** Resolves when the bytes are with the kernel, and their memory is free. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('The client has gone in the middle of the answer'));
    response.once('close', gone).write(bytes, (error) => {
      response.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  requestId: string,
  common: Record<string, string>,
  log: (line: string) => void,
): Promise<void> {
  // A client that has gone, or an answer that has begun: there is nobody left to tell.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (error instanceof NotModified) return send(response, { status: 304 }, common);
  const known = error instanceof StorageError ? error : new StorageError('InternalError', String(error));
  if (!(error instanceof StorageError)) log(`${request.method} ${request.url?.split('?')[0]}: ${String(error)}`);
  // A body that was refused unread would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  const headers = { ...known.headers, 'x-ms-error-code': known.code, 'content-type': 'application/xml' };
  const body = request.method === 'HEAD' ? '' : known.toXml(requestId);
  await send(response, { status: known.status, headers, body }, common);
  request.resume();
}

async function delegationSecret({ sql, commit }: Store): Promise<Buffer> {
  const known = sql.get<{ value: string }>(`SELECT value FROM secrets WHERE name = 'delegation'`);
  if (known) return Buffer.from(known.value, 'base64');
  const secret = randomBytes(32);
  await commit.write(() => sql.run(`INSERT INTO secrets VALUES ('delegation', ?)`, secret.toString('base64')));
  return secret;
}
