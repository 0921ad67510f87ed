// The client's receiver on `$cbs` or `$management`: where answers to requests go.
import { Outbox } from './outbox.ts';
import { holdAttach, type Link, message, types } from './rhea.ts';

export interface Reply {
  correlationId: unknown;
  properties: Record<string, unknown>;
  body?: unknown;
}

export class ReplyLink {
  readonly link: Link;
  readonly #outbox: Outbox;
  #next = 0;

  constructor(link: Link) {
    this.link = link;
    this.#outbox = new Outbox(link);
    link.set_source({ address: link.source?.address ?? '' });
    link.set_target({ address: link.target?.address ?? '' });
    // Answers go pre-settled. If the client had to settle them, its disposition would get no answer from us, and
    // Nagle's algorithm would hold its next frame back for 40 ms.
    link.local.attach['snd_settle_mode'] = 1;
    holdAttach(link, () => this.pump()).release(() => this.pump());
  }

  pump(): void {
    this.#outbox.flush();
  }

  send({ correlationId, properties, body }: Reply): void {
    const text = {
      correlation_id: typeof correlationId === 'string' ? correlationId : (correlationId ?? undefined),
      application_properties: properties,
      body: body ?? types.wrap_map({}),
    };
    const payload = Buffer.from(message.encode(text as Parameters<typeof message.encode>[0]));
    this.#outbox.push({ payload, tag: Buffer.from(String(this.#next++)), settled: true });
  }
}
