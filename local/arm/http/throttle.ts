// ARM's own limits per subscription and principal, as token buckets, and the headers that tell what remains.
// https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
import { ArmError } from './errors.ts';

export interface Limits {
  /** Size of the bucket, which is also what the first answer counts down from. */
  readonly reads: number;
  readonly writes: number;
}

export class Throttle {
  readonly #limits: Limits;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes one token; answers the header to send, or throws 429 with the seconds to wait. */
  take(subscriptionId: string, oid: string, method: string): Record<string, string> {
    const kind = method === 'GET' || method === 'HEAD' ? 'reads' : 'writes';
    const size = this.#limits[kind];
    const perSecond = size / 600;
    const key = `${kind} ${subscriptionId.toLowerCase()} ${oid}`;
    const now = Date.now();
    const bucket = this.#buckets.get(key) ?? { tokens: size, at: now };
    const tokens = Math.min(size, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    const header = `x-ms-ratelimit-remaining-subscription-${kind}`;
    if (tokens < 1) {
      const wait = String(Math.max(1, Math.ceil((1 - tokens) / perSecond)));
      throw new ArmError(
        429,
        'SubscriptionRequestsThrottled',
        `Number of requests for subscription '${subscriptionId}' exceeded the limit. Please try again after ${wait} seconds.`,
        { 'retry-after': wait, [header]: '0' },
      );
    }
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    return { [header]: String(Math.floor(tokens - 1)) };
  }
}
