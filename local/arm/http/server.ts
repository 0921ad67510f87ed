// The HTTPS face of ARM: authentication, api-version, throttling, authorization, then one transaction per request.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { closeServer, listenOnLoopback, readBody } from '../../loopback.ts';
import type { GroupCommit } from '../../sqlite.ts';
import type { Access } from '../access/access.ts';
import type { Answer, ArmRequest, Caller, ResourceType } from '../contract.ts';
import { lastName, parseTarget, type Target } from '../ids.ts';
import type { Operations } from '../operations.ts';
import { ArmError, badRequest, notFound, toArmError } from './errors.ts';
import { type Fault, strike } from './faults.ts';
import { route } from './router.ts';
import type { Throttle } from './throttle.ts';

export interface Face {
  readonly types: ReadonlyMap<string, ResourceType>;
  readonly commit: GroupCommit;
  readonly access: Access;
  readonly operations: Operations;
  readonly throttle: Throttle;
  readonly faults: Fault[];
  readonly subscriptions: ReadonlySet<string>;
  readonly verifyToken: (jwt: string) => Promise<Caller>;
  /** Serves what is no part of ARM (the content of a disk); true when it did. */
  readonly aside: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly log: (line: string) => void;
}

const largestBody = 4 * 1024 * 1024;

/** Listens on loopback. */
export async function listen(
  face: Face,
  tls: { key: string; cert: string },
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
    if (!face.aside(request, response)) void respond(face, request, response);
  });
  return { port: await listenOnLoopback(server, port), close: () => closeServer(server) };
}

async function respond(face: Face, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  const headers: Record<string, string> = {
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': String(incoming.headers['x-ms-correlation-request-id'] ?? requestId),
    'cache-control': 'no-cache',
  };
  let answer: Answer;
  try {
    answer = await serve(face, incoming, headers);
  } catch (thrown) {
    const error = toArmError(thrown);
    if (error.status === 500) face.log(`arm: ${incoming.method} ${incoming.url} failed: ${String(thrown)}`);
    const body = { error: { code: error.code, message: error.message } };
    answer = { status: error.status, headers: error.headers, body };
  }
  const payload = answer.body === undefined ? '' : JSON.stringify(answer.body);
  if (payload) headers['content-type'] = 'application/json; charset=utf-8';
  if (answer.status !== 204) headers['content-length'] = String(Buffer.byteLength(payload));
  response.writeHead(answer.status, { ...headers, ...answer.headers });
  response.end(incoming.method === 'HEAD' ? undefined : payload);
}

async function serve(face: Face, incoming: IncomingMessage, headers: Record<string, string>): Promise<Answer> {
  const caller = await authenticate(face, incoming);
  // Not as a relative URL: clients that prefix a whole resource id with `/` ask for `//subscriptions/…`.
  const url = new URL(`https://localhost${incoming.url ?? '/'}`);
  const method = incoming.method ?? 'GET';
  const apiVersion = url.searchParams.get('api-version');
  if (!apiVersion) {
    throw badRequest(
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  const target = parseTarget(url.pathname);
  const body = await readJson(incoming);
  Object.assign(headers, face.throttle.take(target.subscriptionId, caller.oid, method));
  if (target.subscriptionId && !face.subscriptions.has(target.subscriptionId.toLowerCase())) {
    throw notFound(`The subscription '${target.subscriptionId}' could not be found.`, 'SubscriptionNotFound');
  }
  if (method === 'GET' && isOperation(target)) return pollOperation(face, caller, target, url);

  const { action, scope, handle } = route(face.types, method, target);
  const request: ArmRequest = {
    method,
    target,
    query: url.searchParams,
    apiVersion,
    headers: incoming.headers,
    body,
    caller,
    action,
  };
  const work = (): Answer => {
    if (!guardsItself(action)) face.access.demand(caller, action, scope);
    face.operations.forced = strike(face.faults, { method, path: target.path, action });
    try {
      return handle(request);
    } finally {
      face.operations.forced = undefined;
    }
  };
  return face.commit.write(work);
}

/** Role assignments are checked with the role that they give; a caller may always ask about its own permissions. */
const guardsItself = (action: string): boolean =>
  /^Microsoft\.Authorization\/(roleAssignments\/(write|delete)|permissions\/read)$/i.test(action);

async function authenticate(face: Face, incoming: IncomingMessage): Promise<Caller> {
  const token = /^Bearer (.+)$/i.exec(incoming.headers.authorization ?? '')?.[1];
  const challenge = {
    'www-authenticate': 'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token"',
  };
  if (!token) {
    throw new ArmError(
      401,
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing.",
      challenge,
    );
  }
  try {
    return await face.verifyToken(token);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ArmError(401, 'InvalidAuthenticationToken', `The access token is invalid: ${reason}`, challenge);
  }
}

const isOperation = (target: Target): boolean =>
  target.types.length === 2 && target.types.join('/').toLowerCase() === 'locations/operations';

function pollOperation(face: Face, caller: Caller, target: Target, url: URL): Answer {
  const operation = face.operations.get(lastName(target.path));
  const mine = operation && operation.principal === caller.oid;
  if (
    !operation ||
    !(mine || face.access.may(caller.oid, `${target.namespace}/locations/operations/read`, operation.target))
  ) {
    throw notFound(`The operation '${lastName(target.path)}' was not found.`, 'OperationNotFound');
  }
  if (!url.searchParams.has('monitor')) return face.operations.status(operation);
  return face.operations.outcome(operation, `${face.operations.endpoint}${url.pathname}${url.search}`);
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const raw = await readBody(incoming, largestBody).catch(() => {
    throw new ArmError(413, 'RequestContentTooLarge', 'The request content exceeds 4 MB.');
  });
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw badRequest(
      'InvalidRequestContent',
      'The request content was invalid and could not be deserialized: not JSON.',
    );
  }
}
