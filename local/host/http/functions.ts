// HTTP-triggered functions: from a request to the function that serves it, and back.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { request as sendRequest } from 'node:http';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RegisteredFunction } from '../coreModule.ts';
import type { Invoker } from '../invoke.ts';
import type { HostLog } from '../log.ts';
import { resolveSetting, type Settings } from '../settings.ts';
import type { Keys } from './keys.ts';
import { BodyTooLarge, readBody, sendProblem, sendRpcHttp } from './messages.ts';
import { compileRoute, matchRoutes, type Match, type Route } from './routes.ts';

const HttpTrigger = z.looseObject({
  route: z.string().optional(),
  methods: z.array(z.string()).default(['GET', 'POST']),
  authLevel: z.enum(['anonymous', 'function', 'admin']).default('anonymous'),
});

interface Target {
  registered: RegisteredFunction;
  authLevel: 'anonymous' | 'function' | 'admin';
}

export interface HttpOptions {
  invoker: Invoker;
  log: HostLog;
  settings: Settings;
  keys: Keys;
  routePrefix: string;
  bodyLimit: number;
}

const standardMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export class HttpFunctions {
  readonly #options: HttpOptions;
  readonly #routes: Route<Target>[] = [];
  /** Set when the app asked for streams: the library's own server, which takes requests by invocation id. */
  streamUri: string | undefined;
  /** Refuses new requests while the running ones end. */
  isStopping = false;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  add(registered: RegisteredFunction, binding: unknown): void {
    const { name } = registered.metadata;
    const where = `Function "${name}"`;
    const trigger = HttpTrigger.parse(binding);
    const own = resolveSetting(trigger.route ?? name, this.#options.settings, where);
    const template = [this.#options.routePrefix, own].filter(Boolean).join('/');
    const methods = trigger.methods.map((method) => method.toUpperCase());
    const unknown = methods.find((method) => !standardMethods.includes(method));
    if (unknown !== undefined) throw new Error(`${where}: "${unknown}" is no HTTP method.`);
    const target = { registered, authLevel: trigger.authLevel };
    this.#routes.push(compileRoute(template, methods, target, where));
  }

  /** Answers the request; it never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (this.isStopping)
      return sendProblem(response, 503, 'Service Unavailable', 'The host is stopping.', { connection: 'close' });
    const method = request.method ?? 'GET';
    const matches = matchRoutes(this.#routes, url.pathname);
    if (matches.length === 0) return sendProblem(response, 404, 'Not Found', `Nothing is served at ${url.pathname}.`);
    const match =
      matches.find(({ route }) => route.methods.has(method)) ??
      (method === 'HEAD' ? matches.find(({ route }) => route.methods.has('GET')) : undefined);
    if (!match) return this.#refuseMethod(response, method, matches);
    const { registered, authLevel } = match.route.target;
    if (!this.#options.keys.allows(authLevel, request, url)) {
      return sendProblem(
        response,
        401,
        'Unauthorized',
        'A function key is needed: header x-functions-key or query code.',
      );
    }
    const { name } = registered.metadata;
    try {
      if (this.streamUri !== undefined) await this.#stream(match, request, response, url, this.streamUri);
      else await this.#buffered(match, request, response, url);
    } catch (error) {
      if (error instanceof BodyTooLarge) {
        const detail = `The body is larger than ${this.#options.bodyLimit} bytes.`;
        return sendProblem(response, 413, 'Content Too Large', detail, { connection: 'close' });
      }
      this.#options.log.failed(name, 'http', error, { method, path: url.pathname });
      sendProblem(response, 500, 'Internal Server Error', `The function "${name}" failed.`);
    }
  }

  #refuseMethod(response: ServerResponse, method: string, matches: Match<Target>[]): void {
    const allowed = new Set(matches.flatMap(({ route }) => [...route.methods]));
    if (allowed.has('GET')) allowed.add('HEAD');
    allowed.add('OPTIONS');
    const allow = [...allowed].join(', ');
    if (method === 'OPTIONS') return void response.writeHead(204, { allow }).end();
    sendProblem(response, 405, 'Method Not Allowed', `Allowed: ${allow}.`, { allow });
  }

  async #buffered(match: Match<Target>, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const bytes = await readBody(request, this.#options.bodyLimit);
    const method = request.method ?? 'GET';
    const http = {
      method,
      url: url.href,
      headers: plainHeaders(request),
      params: match.params,
      ...(bytes.length > 0 && method !== 'GET' && method !== 'HEAD' && { body: { bytes } }),
    };
    const outcome = await this.#options.invoker.invoke(match.route.target.registered, { data: { http } });
    const answer = await outcome.response();
    if (answer?.http) sendRpcHttp(response, answer.http, method !== 'HEAD');
    else response.writeHead(answer ? 200 : 204).end();
  }

  // The library waits for the request at its own server, under the invocation id, and answers it there
  // (src/http/httpProxy.ts of @azure/functions 4.16.5).
  async #stream(
    match: Match<Target>,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    uri: string,
  ): Promise<void> {
    const invocationId = randomUUID();
    const headers = plainHeaders(request);
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > this.#options.bodyLimit) throw new BodyTooLarge();
    const proxied = sendRequest(new URL(url.pathname + url.search, uri), {
      method: request.method ?? 'GET',
      headers: {
        ...headers,
        'x-ms-invocation-id': invocationId,
        'x-forwarded-host': url.host,
        'x-forwarded-proto': 'http',
      },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      proxied.once('response', resolve).once('error', reject),
    );
    const sent = pipeline(request, proxied);
    const invoked = this.#options.invoker
      .invoke(match.route.target.registered, {
        invocationId,
        data: { http: {} },
        triggerMetadata: {
          ...Object.fromEntries(Object.entries(match.params).map(([name, value]) => [name, { string: value }])),
          Headers: { json: JSON.stringify(headers) },
          Query: { json: JSON.stringify(Object.fromEntries(url.searchParams)) },
        },
      })
      .then((outcome) => outcome.response());
    sent.catch(() => {});
    answered.catch(() => {});
    try {
      const answer = await Promise.race([answered, invoked.then(() => answered)]);
      response.writeHead(answer.statusCode ?? 200, answer.headers);
      await pipeline(answer, response);
      await invoked;
    } finally {
      proxied.destroy();
    }
  }
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = values?.join(', ') ?? '';
  return headers;
}
