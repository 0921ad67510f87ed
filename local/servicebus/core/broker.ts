// The namespace: which entities exist, and the way of a sent message through them. Pure, like the queues it holds.
import { encodeString } from '../wire/values.ts';
import type { Facts } from '../wire/message.ts';
import { readMessage } from '../wire/message.ts';
import { Dedupe } from './dedupe.ts';
import { parseDuration } from './duration.ts';
import {
  checkName,
  checkProperties,
  type EntityKind,
  type EntityRecord,
  type Properties,
  queueOptions,
} from './entity.ts';
import type { Environment } from './environment.ts';
import { BusError, entityNotFound } from './errors.ts';
import { MessageQueue } from './queue.ts';
import { routesOf } from './routing.ts';
import { defaultRuleName, type Rule } from './rules.ts';
import type { Arrival, Stored } from './stored.ts';

/** A living entity. A topic's `queue` holds only its scheduled messages. */
export interface Entity {
  record: EntityRecord;
  queue: MessageQueue;
  deadLetter: MessageQueue | undefined;
  rules: Map<string, Rule>;
  dedupe: Dedupe;
  /** Runs when the entity is deleted, for the links that use it. */
  onRemoved: Set<() => void>;
}

const separator = '/subscriptions/';
export const subscriptionPath = (topic: string, name: string): string => `${topic}/Subscriptions/${name}`;

export class Broker {
  readonly environment: Environment;
  readonly #entities = new Map<string, Entity>();
  #nextId = 1;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  // ---- entities

  find(path: string): Entity | undefined {
    return this.#entities.get(path.toLowerCase());
  }

  get(path: string, kind?: EntityKind): Entity {
    const entity = this.find(path);
    if (!entity || (kind && entity.record.kind !== kind)) throw entityNotFound(path);
    return entity;
  }

  list(kind: EntityKind, topic?: string): Entity[] {
    const prefix = topic === undefined ? '' : `${topic.toLowerCase()}${separator}`;
    return [...this.#entities]
      .filter(([path, entity]) => entity.record.kind === kind && path.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, entity]) => entity);
  }

  create(kind: EntityKind, path: string, wanted: Properties, rule?: Rule): Entity {
    if (kind === 'subscription') {
      const at = path.toLowerCase().lastIndexOf(separator);
      this.get(path.slice(0, Math.max(at, 0)), 'topic');
      checkName(kind, path.slice(at + separator.length));
    } else checkName(kind, path);
    if (this.find(path)) {
      throw new BusError('com.microsoft:entity-already-exists', `Entity '${path}' already exists. SubCode=40900.`);
    }
    const now = this.environment.now();
    const properties = checkProperties(kind, wanted);
    const record: EntityRecord = { id: this.#nextId, kind, path, properties, createdAt: now, updatedAt: now };
    const entity = this.adopt(record);
    this.environment.journal.saveEntity(record);
    if (kind === 'subscription')
      this.addRule(path, rule ?? { name: defaultRuleName, filter: { kind: 'true' }, createdAt: now });
    return entity;
  }

  /** Brings a recorded entity to life, new or from the journal. */
  adopt(record: EntityRecord): Entity {
    this.#nextId = Math.max(this.#nextId, record.id + 1);
    const options = queueOptions(record.properties);
    const { environment } = this;
    const deadLetter =
      record.kind === 'topic'
        ? undefined
        : new MessageQueue(
            record.id * 2 + 1,
            `${record.path}/$DeadLetterQueue`,
            deadLetterOptions(options.lockDuration),
            environment,
          );
    const queue = new MessageQueue(record.id * 2, record.path, options, environment, {
      deadLetter: (message, reason, description) => {
        deadLetter?.adopt(message, deadLettered(record.path, message, reason, description));
      },
      ...(record.kind === 'topic' ? { activate: (message: Stored) => this.#activate(record.path, message) } : {}),
    });
    const dedupe = new Dedupe(record.id, environment);
    const entity: Entity = { record, queue, deadLetter, rules: new Map(), dedupe, onRemoved: new Set() };
    this.#entities.set(record.path.toLowerCase(), entity);
    return entity;
  }

  update(kind: EntityKind, path: string, wanted: Properties): Entity {
    const entity = this.get(path, kind);
    const properties = checkProperties(kind, wanted, entity.record.properties);
    entity.record = { ...entity.record, properties, updatedAt: this.environment.now() };
    entity.queue.options = queueOptions(properties);
    if (entity.deadLetter) entity.deadLetter.options = deadLetterOptions(entity.queue.options.lockDuration);
    this.environment.journal.saveEntity(entity.record);
    return entity;
  }

  remove(path: string): void {
    const entity = this.get(path);
    if (entity.record.kind === 'topic') {
      for (const subscription of this.list('subscription', path)) this.remove(subscription.record.path);
    }
    this.#entities.delete(path.toLowerCase());
    this.environment.journal.removeEntity(entity.record.id);
    for (const removed of [...entity.onRemoved]) removed();
    entity.queue.dispose();
    entity.deadLetter?.dispose();
  }

  addRule(subscription: string, rule: Rule, replace = false): void {
    const entity = this.get(subscription, 'subscription');
    checkName('rule', rule.name);
    const exists = entity.rules.has(rule.name.toLowerCase());
    if (exists && !replace) {
      throw new BusError('com.microsoft:entity-already-exists', `Rule '${rule.name}' already exists. SubCode=40900.`);
    }
    if (!exists && replace) throw entityNotFound(`${subscription}/Rules/${rule.name}`);
    entity.rules.set(rule.name.toLowerCase(), rule);
    this.environment.journal.saveRule(entity.record.id, rule);
  }

  removeRule(subscription: string, name: string): void {
    const entity = this.get(subscription, 'subscription');
    const rule = entity.rules.get(name.toLowerCase());
    if (!rule) throw entityNotFound(`${subscription}/Rules/${name}`);
    entity.rules.delete(name.toLowerCase());
    this.environment.journal.removeRule(entity.record.id, rule.name);
  }

  // ---- messages

  /** Sends messages together: all are accepted or none. Returns the sequence number of each (0 for a duplicate). */
  send(path: string, messages: Buffer[], scheduled = false): number[] {
    const entity = this.get(path);
    if (entity.record.kind === 'subscription')
      throw new BusError('amqp:not-allowed', 'A subscription takes no messages; send to its topic.');
    const status = entity.record.properties['Status'];
    if (status === 'Disabled' || status === 'SendDisabled') {
      throw new BusError('com.microsoft:entity-disabled', `The messaging entity '${path}' is disabled for sending.`);
    }
    const facts = messages.map((bytes) => this.#read(bytes));
    const lacksSession = (queue: MessageQueue) =>
      queue.options.requiresSession && facts.some((f) => f.sessionId === undefined);
    if (entity.record.kind === 'queue' && lacksSession(entity.queue)) {
      throw new BusError(
        'amqp:not-allowed',
        `The session id must be set for messages to '${path}', which requires sessions.`,
      );
    }
    if (scheduled && facts.some((f) => f.scheduledAt === undefined)) {
      throw new BusError('amqp:not-allowed', 'A message to schedule must say its enqueue time.');
    }
    return facts.map((message) => this.#accept(entity, message));
  }

  #read(bytes: Buffer): Facts {
    try {
      return readMessage(bytes, this.environment.newId);
    } catch (error) {
      throw new BusError('amqp:not-allowed', `The message is not valid AMQP: ${String(error)}`);
    }
  }

  #accept(entity: Entity, message: Facts): number {
    const { properties } = entity.record;
    if (properties['RequiresDuplicateDetection'] === 'true') {
      const window = parseDuration(properties['DuplicateDetectionHistoryTimeWindow'] ?? 'PT10M');
      if (!entity.dedupe.admit(message.messageId, window)) return 0;
    }
    if (entity.record.kind === 'queue' || (message.scheduledAt ?? 0) > this.environment.now()) {
      return entity.queue.enqueue(arrival(message)).sequenceNumber;
    }
    this.#fanOut(entity, message);
    return 0;
  }

  #fanOut(topic: Entity, message: Facts): void {
    const limit = topic.queue.options.defaultTtl;
    for (const subscription of this.list('subscription', topic.record.path)) {
      for (const route of routesOf(subscription.rules.values(), message, this.environment.newId)) {
        if ('failure' in route) {
          if (subscription.record.properties['DeadLetteringOnFilterEvaluationExceptions'] === 'false') continue;
          subscription.queue.enqueueDead(copyOf(message, limit), 'FilterEvaluationException', route.failure);
          continue;
        }
        const copy = copyOf(route.copy, limit);
        if (subscription.queue.options.requiresSession && copy.sessionId === undefined) {
          const description = "Session enabled entity doesn't allow a message whose session identifier is null.";
          subscription.queue.enqueueDead(copy, 'Session ID is null.', description);
        } else subscription.queue.enqueue(copy);
      }
    }
  }

  #activate(topic: string, message: Stored): void {
    const entity = this.find(topic);
    if (entity) this.#fanOut(entity, readMessage(message.raw, this.environment.newId));
  }
}

function arrival(message: Facts): Arrival {
  const { raw, messageId, sessionId, ttl, scheduledAt } = message;
  return { raw, messageId, sessionId, ttl, scheduledAt };
}

/** A subscription's copy: what was scheduled has been waited for at the topic. */
const copyOf = (message: Facts, limit: number): Arrival => ({
  ...arrival(message),
  scheduledAt: undefined,
  ttl: Math.min(message.ttl ?? Number.POSITIVE_INFINITY, limit),
});

const deadLetterOptions = (lockDuration: number) => ({
  lockDuration,
  maxDeliveryCount: Number.POSITIVE_INFINITY,
  requiresSession: false,
  defaultTtl: Number.POSITIVE_INFINITY,
  deadLetterOnExpiration: false,
});

function deadLettered(path: string, message: Stored, reason?: string, description?: string): Partial<Stored> {
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
