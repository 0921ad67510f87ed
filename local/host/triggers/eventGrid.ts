// Event Grid triggers: the webhook to which Event Grid pushes, with the validation handshakes of both schemas
// (https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema and
// https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema). One event, one invocation.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { RegisteredFunction } from '../coreModule.ts';
import { checkJson, parseJson, readBody } from '../http/body.ts';
import { givenKey, type Keys } from '../http/keys.ts';
import { Refusal } from '../http/refusals.ts';
import type { Invoker } from '../invoke.ts';
import type { HostLog } from '../log.ts';

const path = '/runtime/webhooks/eventgrid';
// Event Grid's own limit for one delivery.
const bodyLimit = 1024 * 1024;

const Validation = z.array(z.looseObject({ data: z.looseObject({ validationCode: z.string() }) })).min(1);
const Events = z.union([z.array(z.looseObject({})), z.looseObject({}).transform((event) => [event])]);

export class EventGridFunctions {
  readonly #functions = new Map<string, RegisteredFunction>();
  readonly #options: { invoker: Invoker; log: HostLog; keys: Keys };

  constructor(options: { invoker: Invoker; log: HostLog; keys: Keys }) {
    this.#options = options;
  }

  add(registered: RegisteredFunction): void {
    this.#functions.set(registered.metadata.name.toLowerCase(), registered);
  }

  /** Where a subscription for the function has to point, below the host's endpoint. */
  pathFor(functionName: string): string {
    return `${path}?functionName=${encodeURIComponent(functionName)}&code=${this.#options.keys.systemKey('eventGrid')}`;
  }

  /** Serves a delivery; false when the request is none. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (url.pathname.toLowerCase() !== path) return false;
    const name = url.searchParams.get('functionName') ?? '';
    const registered = this.#functions.get(name.toLowerCase());
    if (!this.#options.keys.opensWebhook('eventGrid', givenKey(request, url)))
      throw new Refusal(401, 'The event grid system key is needed.');
    if (!registered) throw new Refusal(404, `No Event Grid function "${name}".`);
    if (request.method === 'OPTIONS') {
      const origin = String(request.headers['webhook-request-origin'] ?? '*');
      response.writeHead(200, { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' }).end();
    } else if (request.method === 'POST') {
      await this.#deliver(registered, request, response);
    } else {
      throw new Refusal(405, 'Allowed: POST, OPTIONS.', { allow: 'POST, OPTIONS' });
    }
    return true;
  }

  async #deliver(registered: RegisteredFunction, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { name } = registered.metadata;
    checkJson(request);
    const body = parseJson((await readBody(request, bodyLimit)).toString('utf8'));
    if (request.headers['aeg-event-type'] === 'SubscriptionValidation') {
      const validation = Validation.safeParse(body);
      if (!validation.success) throw new Refusal(400, 'No validation code.');
      const answer = JSON.stringify({ validationResponse: validation.data[0]?.data.validationCode });
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    }
    // A subscription that ends says so; that is no event.
    if (request.headers['aeg-event-type'] === 'Unsubscribe') return void response.writeHead(202).end();
    const events = Events.safeParse(body);
    if (!events.success) throw new Refusal(400, 'A delivery is an event or a list of events, as JSON.');
    const outcomes = await Promise.allSettled(
      events.data.map((event) => this.#options.invoker.invoke(registered, { data: { json: JSON.stringify(event) } })),
    );
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of failed) this.#options.log.failed(name, 'eventGrid', reason);
    // Anything but success makes Event Grid deliver the whole list again.
    if (failed.length > 0) throw new Refusal(500, `${failed.length} events failed.`);
    response.writeHead(202).end();
  }
}
