// Link addresses: `queue`, `topic`, `topic/Subscriptions/name`, each with `/$DeadLetterQueue` and `/$management` behind.
import type { Broker, Entity } from '../core/broker.ts';
import { BusError, entityNotFound } from '../core/errors.ts';
import type { MessageQueue } from '../core/queue.ts';

export interface Address {
  /** As the client wrote it, without host. */
  text: string;
  entity: string;
  deadLetter: boolean;
  management: boolean;
}

export function parseAddress(raw: string): Address {
  const text = raw.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/^\/+|\/+$/g, '');
  const management = /\/\$management$/i.test(text);
  const path = management ? text.slice(0, -'/$management'.length) : text;
  if (/\/\$Transfer\/\$DeadLetterQueue$/i.test(path)) {
    throw new BusError('amqp:not-implemented', 'There is no transfer dead-letter queue, for there is no forwarding.');
  }
  const deadLetter = /\/\$DeadLetterQueue$/i.test(path);
  return { text, entity: deadLetter ? path.slice(0, -'/$DeadLetterQueue'.length) : path, deadLetter, management };
}

/** The entity of an address and the queue of messages in it. */
export function resolve(broker: Broker, address: Address): { entity: Entity; queue: MessageQueue } {
  const entity = broker.get(address.entity);
  if (!address.deadLetter) return { entity, queue: entity.queue };
  if (!entity.deadLetter) throw entityNotFound(address.text);
  return { entity, queue: entity.deadLetter };
}
