// A client's senders: to an entity, or with requests to `$cbs` and `$management`.
import { BusError, errorOf } from '../core/errors.ts';
import { splitBatch } from '../wire/message.ts';
import type { Peer } from './peer.ts';
import { answerSent } from './answers.ts';
import { batchFormat, forget, type Link, message, type Received, type Refusal } from './rhea.ts';

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

function answer(received: Received, refusal?: Refusal): void {
  forget(received);
  answerSent(received.link.session, received.id, refusal);
}

export function openSendLink(peer: Peer, link: Link, entity: string, maxMessageSize: number): void {
  answerAttach(link, maxMessageSize);
  link.on('message', ({ message: payload, delivery }) => {
    const received = delivery as Received;
    const settle = (error?: unknown) => answer(received, error === undefined ? undefined : errorOf(error));
    try {
      peer.admit();
      const bytes = payload as Buffer;
      if (bytes.length > maxMessageSize) {
        throw new BusError('amqp:link:message-size-exceeded', `The message is larger than ${maxMessageSize} bytes.`);
      }
      peer.broker.send(entity, received.format === batchFormat ? splitBatch(bytes) : [bytes]);
      peer.committed().then(() => settle(), settle);
    } catch (error) {
      settle(error);
    }
  });
}

export function openRequestLink(link: Link, run: (request: Request) => Promise<void>): void {
  answerAttach(link, largestRequest);
  link.on('message', ({ message: payload, delivery }) => {
    const received = delivery as Received;
    let request: Request;
    try {
      request = message.decode(payload as Buffer) as Request;
    } catch (error) {
      return answer(received, errorOf(new BusError('amqp:not-allowed', String(error))));
    }
    answer(received);
    run(request).catch((error: unknown) => link.close(errorOf(error)));
  });
}
