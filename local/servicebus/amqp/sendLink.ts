// A client's senders: to an entity, or with requests to `$cbs` and `$management`.
import { BusError, errorOf } from '../core/errors.ts';
import { splitBatch } from '../wire/message.ts';
import type { Peer } from './peer.ts';
import { accepted, batchFormat, type Link, message, rejected } from './rhea.ts';

interface Delivery {
  format: number;
  update(settled: boolean, state: unknown): void;
}

/** A decoded request to `$cbs` or `$management`. */
export interface Request {
  message_id?: unknown;
  reply_to?: string;
  body?: unknown;
  application_properties?: Record<string, unknown>;
}

/** Enough for a request to schedule the largest batch. */
const largestRequest = 1 << 20;

/** `maxMessageSize` is what `createMessageBatch` fills. */
function answerAttach(link: Link, maxMessageSize: number): void {
  link.set_target({ address: link.target?.address ?? '' });
  link.set_source({ address: link.source?.address ?? '' });
  link.local.attach['max_message_size'] = maxMessageSize;
  link.local.attach['snd_settle_mode'] = link.snd_settle_mode;
  link.local.attach['rcv_settle_mode'] = link.rcv_settle_mode;
}

export function openSendLink(peer: Peer, link: Link, entity: string, maxMessageSize: number): void {
  answerAttach(link, maxMessageSize);
  link.on('message', ({ message: payload, delivery }) => {
    const { format, update } = delivery as Delivery;
    const settle = (error?: unknown) =>
      update.call(delivery, true, error === undefined ? accepted() : rejected(errorOf(error)));
    try {
      peer.admit();
      const bytes = payload as Buffer;
      if (bytes.length > maxMessageSize) {
        throw new BusError('amqp:link:message-size-exceeded', `The message is larger than ${maxMessageSize} bytes.`);
      }
      peer.broker.send(entity, format === batchFormat ? splitBatch(bytes) : [bytes]);
      peer.committed().then(() => settle(), settle);
    } catch (error) {
      settle(error);
    }
  });
}

export function openRequestLink(link: Link, answer: (request: Request) => Promise<void>): void {
  answerAttach(link, largestRequest);
  link.on('message', ({ message: payload, delivery }) => {
    const { update } = delivery as Delivery;
    let request: Request;
    try {
      request = message.decode(payload as Buffer) as Request;
    } catch (error) {
      return update.call(delivery, true, rejected(errorOf(new BusError('amqp:not-allowed', String(error)))));
    }
    update.call(delivery, true, accepted());
    answer(request).catch((error: unknown) => link.close(errorOf(error)));
  });
}
