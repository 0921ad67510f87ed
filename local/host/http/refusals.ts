// What a request is answered with when it is not served: problem JSON (RFC 9457) that says nothing of the code behind.
import { STATUS_CODES, ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HostLog } from '../log.ts';

/** A request that is refused, with what the client is told. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Nobody waits for the answer any more. */
export class ClientGone extends Error {}

// How long a client whose body is refused may go on sending. Closing at once would reset the connection, and a client
// that is still writing would never read the answer.
const discardMilliseconds = 5000;

/** Answers an error as problem JSON; what had begun to be answered is cut off. */
function sendProblem(
  response: ServerResponse,
  status: number,
  detail?: string,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) return void response.destroy();
  for (const name of response.getHeaderNames()) if (/^content-/i.test(name)) response.removeHeader(name);
  const body = problem(status, detail);
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function problem(status: number, detail?: string): string {
  const title = status === 413 ? 'Content Too Large' : (STATUS_CODES[status] ?? 'Error');
  return JSON.stringify({ type: 'about:blank', title, status, ...(detail !== undefined && { detail }) });
}

/** Answers what is no HTTP, or has headers without an end, and closes the connection. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: unknown }): void {
  const begun = socket._httpMessage instanceof ServerResponse && socket._httpMessage.headersSent;
  if (!socket.writable || begun) return void socket.destroy();
  const [status, detail] = unreadable[error.code ?? ''] ?? [400, 'The request is no well-formed HTTP.'];
  const body = problem(status, detail);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const unreadable: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not end in time.'],
};

/** Answers with a refusal, or 500 for everything that is none; `what` was done when the error came. */
export function answerError(
  error: unknown,
  { request, response, log, what }: { request: IncomingMessage; response: ServerResponse; log: HostLog; what: string },
): void {
  if (error instanceof ClientGone) return void response.destroy();
  if (error instanceof Refusal) {
    sendProblem(response, error.status, error.message, error.headers);
  } else {
    log.failed(what, 'http', error, { method: request.method });
    sendProblem(response, 500, 'The request failed; the log of the host says why.');
  }
  if (!request.complete) discardRest(request);
}

function discardRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), discardMilliseconds).unref();
  request.once('close', () => clearTimeout(timer));
  request.on('error', () => {});
  request.resume();
}
