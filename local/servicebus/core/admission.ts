// A living entity, and what it lets in and out.
import type { Dedupe } from './dedupe.ts';
import type { EntityRecord } from './entity.ts';
import { BusError, entityNotFound } from './errors.ts';
import type { MessageQueue } from './queue.ts';
import type { Rule } from './rules.ts';

/** A topic's `queue` holds only its scheduled messages, and only queues and subscriptions dead-letter. */
export interface Entity {
  record: EntityRecord;
  queue: MessageQueue;
  deadLetter: MessageQueue | undefined;
  /** The transfer dead-letter queue: what could not be forwarded. */
  transfer: MessageQueue | undefined;
  rules: Map<string, Rule>;
  /** A topic's, by lower-case path. */
  subscriptions: Map<string, Entity>;
  dedupe: Dedupe;
  /** When somebody last sent or attached; not journalled. */
  accessedAt: number;
  isRemoved: boolean;
  /** Runs when the entity was changed or deleted, for the links that use it. */
  onChanged: Set<() => void>;
}

const queuesOf = ({ queue, deadLetter, transfer }: Entity): MessageQueue[] =>
  [queue, deadLetter, transfer].filter((each) => each !== undefined);

/** Bytes of all messages in it; a topic's subscriptions count for it. */
export const sizeOf = (entity: Entity): number =>
  [entity, ...entity.subscriptions.values()].flatMap(queuesOf).reduce((sum, queue) => sum + queue.counts.bytes, 0);

const statusOf = ({ record }: Entity): string => record.properties['Status'] ?? 'Active';

export function requireSendable(entity: Entity): void {
  const { path, kind } = entity.record;
  if (entity.isRemoved) throw entityNotFound(path);
  if (kind === 'subscription')
    throw new BusError('amqp:not-allowed', 'A subscription takes no messages; send to its topic.');
  if (['Disabled', 'SendDisabled'].includes(statusOf(entity))) {
    throw new BusError('com.microsoft:entity-disabled', `The messaging entity '${path}' is disabled for sending.`);
  }
}

/** `part` is which of the entity's queues somebody wants to receive from. */
export function requireReceivable(entity: Entity, part: 'main' | 'deadLetter' | 'transfer' = 'main'): void {
  const { path, kind, properties } = entity.record;
  if (entity.isRemoved) throw entityNotFound(path);
  if (kind === 'topic')
    throw new BusError('amqp:not-allowed', 'A topic has no messages of its own; receive from a subscription.');
  if (['Disabled', 'ReceiveDisabled'].includes(statusOf(entity))) {
    throw new BusError('com.microsoft:entity-disabled', `The messaging entity '${path}' is disabled for receiving.`);
  }
  const forwarding = { main: 'ForwardTo', deadLetter: 'ForwardDeadLetteredMessagesTo', transfer: '' }[part];
  if (properties[forwarding]) {
    throw new BusError(
      'amqp:not-allowed',
      `A receiver cannot be made on '${path}': its messages are forwarded to '${properties[forwarding]}'.`,
    );
  }
}

/** Refuses what would make the entity larger than it may be. */
export function requireRoom(entity: Entity, bytes: number): void {
  const megabytes = Number(entity.record.properties['MaxSizeInMegabytes']);
  if (sizeOf(entity) + bytes <= megabytes * 2 ** 20) return;
  throw new BusError(
    'amqp:resource-limit-exceeded',
    `The messaging entity '${entity.record.path}' is full: it may hold ${megabytes} MB (MaxSizeInMegabytes).`,
  );
}

export function requireSessionIds(entity: Entity, sessionIds: readonly (string | undefined)[]): void {
  if (entity.record.kind !== 'queue' || !entity.queue.options.requiresSession) return;
  if (!sessionIds.includes(undefined)) return;
  throw new BusError(
    'amqp:not-allowed',
    `The session id must be set for messages to '${entity.record.path}', which requires sessions.`,
  );
}

const standardSize = 262_144;

/** The largest message that it takes, in bytes. */
export const maxMessageSize = ({ record }: Entity): number =>
  record.properties['MaxMessageSizeInKilobytes']
    ? Number(record.properties['MaxMessageSizeInKilobytes']) * 1024
    : standardSize;
