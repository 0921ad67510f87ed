// One request of an app that asked for HTTP streams. The library waits for it at a server of its own, under the
// invocation id, and answers it there (src/http/httpProxy.ts of @azure/functions 4.16.5); this carries it there and back.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, maxHeaderSize, request as sendRequest, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { InvocationRequest, Outcome } from '../invoke.ts';
import { checkLength, limitBody } from './body.ts';
import { Flow } from './flow.ts';
import { plainHeaders } from './messages.ts';
import { ClientGone, Refusal } from './refusals.ts';

// What is sent on beside the headers that came.
const addedHeaders = 1024;

interface StreamedRequest {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  params: Record<string, string>;
  streamUri: string;
  bodyLimit: number;
}

/** Resolves when invocation and answer have ended. Rejects with ClientGone when the client left before. */
export async function serveStream(
  { request, response, url, params, streamUri, bodyLimit }: StreamedRequest,
  invoke: (invocation: InvocationRequest) => Promise<Outcome>,
): Promise<void> {
  checkLength(request, bodyLimit);
  const invocationId = randomUUID();
  const headers = plainHeaders(request);
  // The server of the library would refuse them, and the invocation wait for ever.
  if (request.rawHeaders.join(': ').length + url.href.length > maxHeaderSize - addedHeaders)
    throw new Refusal(431, 'The headers are too large for an app with HTTP streams.');
  const proxied = sendRequest(new URL(url.pathname + url.search, streamUri), {
    method: request.method ?? 'GET',
    headers: {
      ...withoutConnection(headers),
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': url.host,
      'x-forwarded-proto': 'http',
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    proxied.once('response', resolve).on('error', reject);
  });
  answered.catch(() => {});
  let cutBy: unknown;
  const cut = (cause: unknown) => {
    cutBy ??= cause;
    proxied.destroy();
  };
  const gone = new AbortController();
  const flow = new Flow(gone.signal);
  response.once('close', () => {
    if (response.writableFinished) return;
    cut(new ClientGone());
    gone.abort();
  });
  // The invocation waits for the request at the library's server: were it never to arrive, nothing would end the wait.
  await headersSent(proxied).catch((error: unknown) => Promise.reject(cutBy ?? error));
  // Not a pipeline: that would destroy the request, and the connection with it, before a refusal is answered.
  request.pipe(limitBody(bodyLimit)).once('error', cut).pipe(proxied);
  // The library reads neither; they are for the span.
  const http = { method: request.method ?? 'GET', url: url.href };
  const metadata = {
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
    Headers: { json: JSON.stringify(headers) },
    Query: { json: JSON.stringify(Object.fromEntries(url.searchParams)) },
  };
  const invoked = invoke({ invocationId, data: { http }, triggerMetadata: metadata }).then(async (outcome) => {
    await outcome.response((result) => inStep(result, flow));
    // Of a handler that returns nothing the library says nothing.
    return outcome.result === undefined || outcome.result === null ? undefined : answered;
  });
  invoked.catch(() => {});
  try {
    const answer = await Promise.race([answered, invoked]);
    if (!answer) return void response.writeHead(204).end();
    response.writeHead(answer.statusCode ?? 200, withoutConnection(answer.headers));
    await Promise.all([pipeline(answer, flow.arrivals(), response), invoked]);
  } catch (error) {
    throw cutBy ?? error;
  } finally {
    proxied.destroy();
  }
}

async function headersSent(proxied: ReturnType<typeof sendRequest>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    proxied.once('error', reject);
    proxied.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => setImmediate(resolve));
      else setImmediate(resolve);
    });
    proxied.flushHeaders();
  });
}

/** Without the headers that are about one connection. */
function withoutConnection<T extends object>(headers: T): T {
  const about = new Set(['connection', 'keep-alive', 'expect', 'upgrade', 'te', 'trailer']);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !about.has(name))) as T;
}

/** The handler's result, with a streamed body that keeps step with the client. */
function inStep(result: unknown, flow: Flow): unknown {
  if (typeof result !== 'object' || result === null || !('body' in result)) return result;
  const { body } = result;
  const source = body instanceof ReadableStream ? body : isIterable(body) ? ReadableStream.from(body) : undefined;
  if (!source || source.locked) return result;
  const { status, headers, cookies, enableContentNegotiation } = result as Record<string, unknown>;
  return { status, headers, cookies, enableContentNegotiation, body: flow.pace(source) };
}

const isIterable = (body: unknown): body is AsyncIterable<unknown> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
