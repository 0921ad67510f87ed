// HTTP-triggered functions: from a request to the function that serves it, and back.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { RegisteredFunction } from '../coreModule.ts';
import type { HostJson } from '../hostJson.ts';
import type { Invoker } from '../invoke.ts';
import type { HostLog } from '../log.ts';
import { resolveSetting, type Settings } from '../settings.ts';
import { readBody } from './body.ts';
import { type AuthLevel, givenKey, type Keys } from './keys.ts';
import { plainHeaders, sendRpcHttp } from './messages.ts';
import { answerError, ClientGone, Refusal } from './refusals.ts';
import { RequestLimit } from './requestLimit.ts';
import { compileRoute, matchRoutes, type Match, type Route } from './routes.ts';
import { serveStream } from './streams.ts';

const HttpTrigger = z.looseObject({
  route: z.string().optional(),
  methods: z.array(z.string()).default(['GET', 'POST']),
  authLevel: z.enum(['anonymous', 'function', 'admin']).default('anonymous'),
});

interface Target {
  registered: RegisteredFunction;
  authLevel: AuthLevel;
  ownRoute: string;
}

export interface HttpOptions {
  invoker: Invoker;
  log: HostLog;
  settings: Settings;
  keys: Keys;
  http: HostJson['extensions']['http'];
  bodyLimit: number;
}

const standardMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export class HttpFunctions {
  readonly #options: HttpOptions;
  readonly #limit: RequestLimit;
  readonly #routes: Route<Target>[] = [];
  /** Set when the app asked for streams: the library's own server, which takes requests by invocation id. */
  streamUri: string | undefined;

  constructor(options: HttpOptions) {
    if (!(options.bodyLimit > 0))
      throw new Error('The setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a number of bytes, more than 0.');
    this.#options = options;
    this.#limit = new RequestLimit(options.http.maxConcurrentRequests, options.http.maxOutstandingRequests);
  }

  add(registered: RegisteredFunction, binding: unknown): void {
    const { name } = registered.metadata;
    const where = `Function "${name}"`;
    const trigger = HttpTrigger.parse(binding);
    const own = resolveSetting(trigger.route ?? name, this.#options.settings, where).replace(/^\/+|\/+$/g, '');
    const methods = trigger.methods.map((method) => method.toUpperCase());
    const unknown = methods.find((method) => !standardMethods.includes(method));
    if (unknown !== undefined) throw new Error(`${where}: "${unknown}" is no HTTP method.`);
    this.#refuseTaken(own, methods, where);
    const template = [this.#options.http.routePrefix, own].filter(Boolean).join('/');
    const target = { registered, authLevel: trigger.authLevel, ownRoute: own.toLowerCase() };
    this.#routes.push(compileRoute(template, methods, target, where));
  }

  /** As the real host compares: the templates, without the prefix (ScriptHost.cs of Azure/azure-functions-host). */
  #refuseTaken(own: string, methods: string[], where: string): void {
    if (/^(?:admin|runtime)/i.test(own))
      throw new Error(
        `${where}: the route "${own}" begins with "admin" or "runtime", which the host keeps for itself.`,
      );
    const other = this.#routes.find(
      ({ target, methods: taken }) =>
        target.ownRoute === own.toLowerCase() && methods.some((method) => taken.has(method)),
    );
    if (other)
      throw new Error(`${where}: the route "${own}" is already that of "${other.target.registered.metadata.name}".`);
  }

  /** Answers the request; it never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    let what = url.pathname;
    for (const [name, value] of Object.entries(this.#options.http.customHeaders)) response.setHeader(name, value);
    try {
      const match = this.#match(request, response, url);
      if (!match) return;
      const { name } = match.route.target.registered.metadata;
      what = name;
      await this.#limit.run(async () => {
        if (response.closed) throw new ClientGone();
        if (this.streamUri !== undefined) await this.#stream(match, request, response, url, this.streamUri);
        else await this.#buffered(match, request, response, url);
      });
    } catch (error) {
      answerError(error, { request, response, what, log: this.#options.log });
    }
  }

  /** Undefined when the answer has been given. */
  #match(request: IncomingMessage, response: ServerResponse, url: URL): Match<Target> | undefined {
    const method = request.method ?? 'GET';
    const matches = matchRoutes(this.#routes, url.pathname);
    if (matches.length === 0) throw new Refusal(404, `Nothing is served at ${url.pathname}.`);
    const match =
      matches.find(({ route }) => route.methods.has(method)) ??
      (method === 'HEAD' ? matches.find(({ route }) => route.methods.has('GET')) : undefined);
    if (!match) {
      const allow = allowed(matches);
      if (method !== 'OPTIONS') throw new Refusal(405, `Allowed: ${allow}.`, { allow });
      response.writeHead(204, { allow }).end();
      return undefined;
    }
    const { registered, authLevel } = match.route.target;
    if (!this.#options.keys.opensFunction(authLevel, registered.metadata.name, givenKey(request, url))) {
      const needed = authLevel === 'admin' ? 'The master key' : 'A function key';
      throw new Refusal(401, `${needed} is needed: header x-functions-key or query code.`);
    }
    return match;
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
    const outcome = await this.#options.invoker.invoke(match.route.target.registered, {
      data: { http },
      route: match.route.template,
    });
    const answer = await outcome.response();
    if (response.closed) throw new ClientGone();
    if (answer?.http) sendRpcHttp(response, answer.http, method !== 'HEAD');
    else response.writeHead(answer ? 200 : 204).end();
  }

  async #stream(
    match: Match<Target>,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    streamUri: string,
  ): Promise<void> {
    const { registered } = match.route.target;
    const { invoker, bodyLimit } = this.#options;
    await serveStream({ request, response, url, streamUri, bodyLimit, params: match.params }, (invocation) =>
      invoker.invoke(registered, { ...invocation, route: match.route.template }),
    );
  }
}

function allowed(matches: Match<Target>[]): string {
  const methods = new Set(matches.flatMap(({ route }) => [...route.methods]));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods.add('OPTIONS')].join(', ');
}
