// The way of a message: into a queue, through a topic to its subscriptions, and on to where an entity forwards
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-auto-forwarding). A transfer happens in the same
// synchronous stretch as what caused it, so both become durable together.
import { encodeString } from '../wire/values.ts';
import { type Facts, readMessage } from '../wire/message.ts';
import { withProperties } from '../wire/rewrite.ts';
import { type Entity, requireRoom, requireSendable, requireSessionIds } from './admission.ts';
import { parseDuration } from './duration.ts';
import type { Environment } from './environment.ts';
import { BusError, entityNotFound } from './errors.ts';
import { routesOf } from './routing.ts';
import type { Arrival, Stored } from './stored.ts';

const mostHops = 4;

const reasons: Partial<Record<BusError['condition'], string>> = {
  'amqp:not-found': 'MessagingEntityNotFound',
  'com.microsoft:entity-disabled': 'MessagingEntityDisabled',
  'amqp:resource-limit-exceeded': 'QuotaExceeded',
};

/** What a message keeps of where it was first. Its schedule, too, was that of the first entity. */
type Origin = Pick<Arrival, 'enqueuedSequenceNumber' | 'deadLetterSource'> & { scheduledAt?: undefined };

export class Traffic {
  readonly #environment: Environment;
  readonly #find: (path: string) => Entity | undefined;
  /** How often the message in hand has been forwarded. */
  #hops = 0;

  constructor(environment: Environment, find: (path: string) => Entity | undefined) {
    this.#environment = environment;
    this.#find = find;
  }

  /** Lets in a message that is allowed. Returns its sequence number, 0 for a duplicate or from a topic. */
  accept(entity: Entity, message: Facts, origin: Origin = {}): number {
    const { properties, kind } = entity.record;
    entity.accessedAt = this.#environment.now();
    if (properties['RequiresDuplicateDetection'] === 'true') {
      const window = parseDuration(properties['DuplicateDetectionHistoryTimeWindow'] ?? 'PT10M');
      if (!entity.dedupe.admit(message.messageId, window)) return 0;
    }
    const scheduledAt = 'scheduledAt' in origin ? undefined : message.scheduledAt;
    if (kind === 'queue' || (scheduledAt ?? 0) > this.#environment.now()) {
      return entity.queue.enqueue({ ...arrival(message), ...origin }).sequenceNumber;
    }
    this.#fanOut(entity, message, origin);
    return 0;
  }

  /** A scheduled message of a topic, at its time. */
  activate(topic: Entity, message: Stored): void {
    const origin = { enqueuedSequenceNumber: message.sequenceNumber };
    this.#fanOut(topic, this.#read(message.raw), origin);
  }

  /** Sends a message on. What cannot be delivered there goes into the transfer dead-letter queue of where it was. */
  forward(from: Entity, message: Stored, to: string): void {
    const { extra, enqueuedSequenceNumber, deadLetterSource } = message;
    const bury = (reason: string | undefined, description: string) =>
      from.transfer?.adopt(message, buried(from.record.path, message, reason, description));
    if (this.#hops === mostHops) {
      bury('MaxTransferHopCountExceeded', `The message was forwarded more than ${mostHops} times.`);
      return;
    }
    const raw = extra.size === 0 ? message.raw : withProperties(message.raw, { system: new Map(), user: extra });
    this.#hops++;
    try {
      const target = this.#find(to);
      if (!target) throw entityNotFound(to);
      const facts = this.#read(raw);
      requireSendable(target);
      requireSessionIds(target, [facts.sessionId]);
      requireRoom(target, raw.length);
      this.accept(target, facts, { enqueuedSequenceNumber, deadLetterSource, scheduledAt: undefined });
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      bury(reasons[error.condition], error.message);
    } finally {
      this.#hops--;
    }
  }

  #fanOut(topic: Entity, message: Facts, origin: Origin): void {
    const limit = topic.queue.options.defaultTtl;
    const copyOf = (facts: Facts): Arrival => ({
      ...arrival(facts),
      ...origin,
      scheduledAt: undefined,
      ttl: Math.min(facts.ttl ?? Number.POSITIVE_INFINITY, limit),
    });
    for (const { rules, queue, record } of topic.subscriptions.values()) {
      for (const route of routesOf(rules.values(), message, this.#environment.newId)) {
        if ('failure' in route) {
          if (record.properties['DeadLetteringOnFilterEvaluationExceptions'] === 'false') continue;
          queue.enqueueDead(copyOf(message), 'FilterEvaluationException', route.failure);
        } else if (queue.options.requiresSession && route.copy.sessionId === undefined) {
          const description = "Session enabled entity doesn't allow a message whose session identifier is null.";
          queue.enqueueDead(copyOf(route.copy), 'Session ID is null.', description);
        } else queue.enqueue(copyOf(route.copy));
      }
    }
  }

  #read(raw: Buffer): Facts {
    return readMessage(raw, this.#environment.newId);
  }
}

function arrival({ raw, messageId, sessionId, ttl, scheduledAt }: Facts): Arrival {
  return { raw, messageId, sessionId, ttl, scheduledAt };
}

/** What changes of a message that moves into a dead-letter queue of the entity at `path`. */
export function buried(path: string, message: Stored, reason?: string, description?: string): Partial<Stored> {
  const extra = new Map(message.extra);
  if (reason !== undefined) extra.set('DeadLetterReason', encodeString(reason));
  if (description !== undefined) extra.set('DeadLetterErrorDescription', encodeString(description));
  return {
    extra,
    enqueuedSequenceNumber: message.sequenceNumber,
    state: 'active',
    delivered: false,
    expiresAt: Number.POSITIVE_INFINITY,
    deadLetterSource: path,
  };
}
