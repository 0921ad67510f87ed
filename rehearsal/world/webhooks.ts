// Modelled receivers of webhooks: each takes an event once, however often it is delivered, as one that heeds its id does.
import { terminal } from '../../shared/errors.ts';
import type { Receiver, WebhookEvent, Webhooks } from '../../shared/webhooks/contract.ts';
import type { Changed } from './change.ts';

export interface Told {
  url: string;
  event: WebhookEvent;
}

export class ModelledWebhooks implements Webhooks {
  /** What receivers have taken, in order, each once. */
  readonly told: Told[] = [];
  /** Hosts that refuse whatever comes. */
  readonly refusing = new Set<string>();
  readonly #changed: Changed;

  constructor(changed: Changed) {
    this.#changed = changed;
  }

  check = async ({ url }: Receiver): Promise<void> => {
    const { host } = new URL(url);
    if (this.refusing.has(host)) throw terminal('forbidden', `No webhook goes to ${host}.`, 'Name another receiver.');
  };

  deliver = async (receiver: Receiver, event: WebhookEvent): Promise<{ status: number; answer: string }> => {
    await this.check(receiver);
    const { url } = receiver;
    if (this.told.some((one) => one.url === url && one.event.id === event.id)) return { status: 200, answer: 'known' };
    this.told.push({ url, event });
    this.#changed({ what: `${new URL(url).host} heard of ${event.id}`, kind: 'webhook', id: url });
    return { status: 202, answer: '' };
  };

  /** Somebody calls those at a host: what a workload's action told them stands no more. */
  takeBackByHand(host: string, action: string, workloadId: string): void {
    for (const { url, event } of this.standing())
      if (new URL(url).host === host && event.subject === workloadId && event.data['action'] === action)
        this.told.push({ url, event: { ...event, id: `${event.id}:by hand`, data: { undoes: event.id } } });
  }

  /** What stands of all that was told: what was taken back stands no more. */
  standing(): Told[] {
    const undone = new Set(this.told.map(({ event }) => event.data['undoes']));
    return this.told.filter(({ event }) => event.data['undoes'] === undefined && !undone.has(event.id));
  }
}
