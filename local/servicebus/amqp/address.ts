// Link addresses: `queue`, `topic`, `topic/Subscriptions/name`, each with `/$DeadLetterQueue` or
// `/$Transfer/$DeadLetterQueue` and `/$management` behind.
import type { Entity } from '../core/admission.ts';
import type { Broker } from '../core/broker.ts';
import { entityNotFound } from '../core/errors.ts';
import type { MessageQueue } from '../core/queue.ts';

export interface Address {
  /** As the client wrote it, without host. */
  text: string;
  entity: string;
  part: 'main' | 'deadLetter' | 'transfer';
  management: boolean;
}

export function parseAddress(raw: string): Address {
  const text = raw.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/^\/+|\/+$/g, '');
  const management = /\/\$management$/i.test(text);
  const path = management ? text.slice(0, -'/$management'.length) : text;
  const [suffix = '', transfer] = /(\/\$Transfer)?\/\$DeadLetterQueue$/i.exec(path) ?? [];
  const part = transfer ? 'transfer' : suffix ? 'deadLetter' : 'main';
  return { text, entity: path.slice(0, path.length - suffix.length), part, management };
}

/** The entity of an address and the queue of messages in it. */
export function resolve(broker: Broker, address: Address): { entity: Entity; queue: MessageQueue } {
  const entity = broker.get(address.entity);
  entity.accessedAt = broker.environment.now();
  const queue = { main: entity.queue, deadLetter: entity.deadLetter, transfer: entity.transfer }[address.part];
  if (!queue) throw entityNotFound(address.text);
  return { entity, queue };
}
