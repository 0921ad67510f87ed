// A request as the handlers see it, an answer as they give it, and the headers that every answer carries.
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { badRequest, CosmosError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Container } from '../store/catalog.ts';

export interface Request {
  method: string;
  /** Decoded segments of the path. */
  path: string[];
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `https://localhost:8081`: how this client reached the server. */
  origin: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string | undefined>;
  /** JSON text, its bytes, or a value to turn into it. */
  body?: unknown;
}

export function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export const isTrue = (request: Request, name: string) => header(request, name)?.toLowerCase() === 'true';

export function jsonBody(request: Pick<Request, 'body'>): unknown {
  try {
    return JSON.parse(request.body.toString());
  } catch (cause) {
    throw badRequest(`The request body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

export function objectBody(request: Request): JsonObject {
  const body = jsonBody(request);
  if (!isJsonObject(body)) throw badRequest('The request body must be a JSON object.');
  return body;
}

/** The headers from which the client learns owner and charge. */
export function containerHeaders(
  container: Container,
  charge: number,
  etag?: string,
): Record<string, string | undefined> {
  return {
    etag,
    'x-ms-content-path': container.rid,
    'x-ms-alt-content-path': `dbs/${encodeURIComponent(container.databaseId)}/colls/${encodeURIComponent(container.id)}`,
    'x-ms-request-charge': String(charge),
  };
}

export function errorReply(error: unknown, log: (line: string) => void): Reply {
  if (!(error instanceof CosmosError)) {
    log(`cosmos: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return errorReply(
      new CosmosError(500, 'InternalServerError', 'The local Cosmos DB server failed; see its log.'),
      log,
    );
  }
  const { status, code, message, substatus, details, headers } = error;
  return {
    status,
    headers: { ...headers, 'x-ms-substatus': substatus === undefined ? undefined : String(substatus) },
    body: { code, message, ...details },
  };
}

/** A short text goes out in one piece with its headers; a long one is turned into bytes faster here than on the way. */
function contentOf(body: unknown): string | Uint8Array {
  if (body instanceof Uint8Array) return body;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return text.length > SHORT ? Buffer.from(text) : text;
}

const SHORT = 8 * 1024;

/** Turns a reply into what goes on the wire. */
export function render(reply: Reply): { status: number; headers: Record<string, string>; body: string | Uint8Array } {
  const headers: Record<string, string> = {
    'x-ms-activity-id': randomUUID(),
    'x-ms-request-charge': '1',
    'x-ms-gatewayversion': 'version=2.14.0',
    'x-ms-serviceversion': 'version=2.14.0.0',
  };
  for (const [name, value] of Object.entries(reply.headers ?? {})) if (value !== undefined) headers[name] = value;
  const bodiless = reply.status === 204 || reply.status === 304 || reply.body === undefined;
  const body = bodiless ? '' : contentOf(reply.body);
  if (!bodiless) headers['content-type'] = 'application/json';
  if (reply.status !== 304 && reply.status !== 204) headers['content-length'] = String(Buffer.byteLength(body));
  return { status: reply.status, headers, body };
}
