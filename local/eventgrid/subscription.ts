// One webhook subscription: the CloudEvents handshake, then one event per POST, in order of publication as long as
// nothing fails. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, Outbox } from './outbox.ts';

export interface SubscriptionOptions {
  name: string;
  /** The webhook's URL. */
  endpoint: string;
  /** Event types to deliver; all where absent. */
  includedEventTypes?: string[];
  /** Sent with every request, as Event Grid's delivery properties are: a way to authenticate the sender. */
  headers?: Record<string, string>;
  maxDeliveryAttempts?: number;
}

export interface Running {
  /** Looks for work: something was published. */
  wake(): void;
  stop(): Promise<void>;
}

// https://learn.microsoft.com/azure/event-grid/delivery-and-retry: 30 attempts, and no retry for these answers.
const MAX_ATTEMPTS = 30;
const finalStatus = new Set([400, 401, 413]);
const ORIGIN = 'eventgrid.azure.net';
const TIMEOUT = 30_000;

/** Delivers until stopped. `id` is the subscription's key in the outbox. */
export function runSubscription(
  id: string,
  options: SubscriptionOptions,
  outbox: Outbox,
  backoffMs: (attempt: number) => number,
  log: (line: string) => void,
): Running {
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  let isValidated = false;

  const deliverNext = async (delivery: Delivery): Promise<void> => {
    const reason = await attempt(delivery).catch((error: unknown) => String(error));
    if (stopping.signal.aborted && reason !== undefined) return;
    if (reason === undefined) await outbox.delivered(delivery);
    else if (
      finalStatus.has(Number(reason)) ||
      delivery.attempts + 1 >= (options.maxDeliveryAttempts ?? MAX_ATTEMPTS)
    ) {
      log(`${id}: dead letter after ${delivery.attempts + 1} attempts: ${reason}`);
      await outbox.giveUp(delivery, reason);
    } else await outbox.retry(delivery, Date.now() + backoffMs(delivery.attempts));
  };

  /** Undefined for success, otherwise why not. */
  const attempt = async (delivery: Delivery): Promise<string | undefined> => {
    if (!isValidated) {
      const refusal = await handshake();
      if (refusal) return refusal;
      isValidated = true;
    }
    const response = await send('POST', delivery.event, {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': options.name.toUpperCase(),
      'aeg-delivery-count': String(delivery.attempts),
    });
    return response.ok ? undefined : String(response.status);
  };

  const handshake = async (): Promise<string | undefined> => {
    const response = await send('OPTIONS', undefined, { 'webhook-request-origin': ORIGIN });
    const allowed = response.headers.get('webhook-allowed-origin');
    if (response.ok && (allowed === '*' || allowed?.toLowerCase() === ORIGIN)) return undefined;
    return `The webhook did not consent to deliveries: ${response.status}, WebHook-Allowed-Origin ${allowed}`;
  };

  const send = async (method: string, body: string | undefined, headers: Record<string, string>): Promise<Response> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT)]);
    const response = await fetch(options.endpoint, {
      method,
      headers: { ...options.headers, ...headers },
      signal,
      redirect: 'manual',
      ...(body !== undefined && { body }),
    });
    await response.body?.cancel();
    return response;
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const delivery = outbox.next(id);
      const wait = delivery ? delivery.due - Date.now() : undefined;
      if (delivery && wait !== undefined && wait <= 0) {
        await deliverNext(delivery);
        continue;
      }
      woken = Promise.withResolvers<void>();
      const rest = new AbortController();
      const signal = AbortSignal.any([stopping.signal, rest.signal]);
      const pause =
        wait === undefined ? new Promise<void>(() => {}) : sleep(wait, undefined, { signal }).catch(() => {});
      await Promise.race([woken.promise, pause]);
      rest.abort();
    }
  };
  const running = run().catch((error: unknown) => log(`${id}: ${String(error)}`));

  return {
    wake: () => woken.resolve(),
    async stop() {
      stopping.abort();
      woken.resolve();
      await running;
    },
  };
}
