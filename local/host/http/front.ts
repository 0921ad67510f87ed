// What every request passes before anything looks at it: its address must make sense and be short, and a browser's
// cross-origin questions are answered from `Host.CORS` of local.settings.json
// (https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from './refusals.ts';

export interface CorsOptions {
  /** Exact origins, or `*`. */
  origins: readonly string[];
  credentials: boolean;
}

// That of Kestrel, the server of the real host, for the whole request line.
const longestTarget = 8192;

/** The URL of a request. Throws a Refusal when it is too long or none. */
export function requestUrl(request: IncomingMessage, endpoint: string): URL {
  const target = request.url ?? '/';
  if (target.length > longestTarget) throw new Refusal(414, `The URL is longer than ${longestTarget} characters.`);
  // Joined as text: as a reference, `//host/path` would name another host.
  const text = target.startsWith('/') ? `http://${request.headers.host ?? new URL(endpoint).host}${target}` : target;
  if (!URL.canParse(text)) throw new Refusal(400, 'The URL or the header Host is malformed.');
  return new URL(text);
}

/** Adds what a browser needs to let the page read the answer; true when the request was only the question before. */
export function answerCors(cors: CorsOptions | undefined, request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (!cors || origin === undefined) return false;
  const isAny = cors.origins.includes('*');
  const isAllowed = isAny || cors.origins.some((known) => known.toLowerCase() === origin.toLowerCase());
  if (!isAny) response.appendHeader('vary', 'Origin');
  if (isAllowed) {
    response.setHeader('access-control-allow-origin', isAny ? '*' : origin);
    if (cors.credentials) response.setHeader('access-control-allow-credentials', 'true');
  }
  const wanted = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || wanted === undefined) return false;
  if (isAllowed) {
    response.setHeader('access-control-allow-methods', wanted);
    const headers = request.headers['access-control-request-headers'];
    if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
  }
  response.writeHead(204).end();
  return true;
}
