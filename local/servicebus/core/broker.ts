// The namespace: which entities exist, and what is sent to them. Pure, like the queues it holds.
import { type Facts, readMessage } from '../wire/message.ts';
import { type Entity, maxMessageSize, requireRoom, requireSendable, requireSessionIds } from './admission.ts';
import { Dedupe } from './dedupe.ts';
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
import { MessageQueue, type QueueLinks } from './queue.ts';
import { defaultRuleName, type Rule } from './rules.ts';
import { buried, Traffic } from './traffic.ts';

const separator = '/subscriptions/';
export const subscriptionPath = (topic: string, name: string): string => `${topic}/Subscriptions/${name}`;

export class Broker {
  readonly environment: Environment;
  readonly #entities = new Map<string, Entity>();
  readonly #traffic: Traffic;
  #nextId = 1;

  constructor(environment: Environment) {
    this.environment = environment;
    this.#traffic = new Traffic(environment, (path) => this.find(path));
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

  /** All of a kind, or a topic's subscriptions, by path. */
  list(kind: EntityKind, topic?: string): Entity[] {
    const all = topic === undefined ? this.#entities : (this.find(topic)?.subscriptions ?? new Map<string, Entity>());
    return [...all]
      .filter(([, entity]) => entity.record.kind === kind)
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
    this.#checkForwarding(path, properties);
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
    const { environment } = this;
    const part = (id: number, suffix: string, links: QueueLinks) =>
      new MessageQueue(id, record.path + suffix, queueOptions(record.properties), environment, links);
    const receives = record.kind !== 'topic';
    const transfer = receives ? part(-record.id, '/$Transfer/$DeadLetterQueue', {}) : undefined;
    const deadLetter = receives ? part(record.id * 2 + 1, '/$DeadLetterQueue', {}) : undefined;
    const queue = part(record.id * 2, '', {
      deadLetter: (message, reason, description) => {
        deadLetter?.adopt(message, buried(record.path, message, reason, description));
      },
      ...(receives ? {} : { activate: (message) => this.#traffic.activate(entity, message) }),
    });
    const entity: Entity = {
      record,
      queue,
      deadLetter,
      transfer,
      rules: new Map(),
      subscriptions: new Map(),
      dedupe: new Dedupe(record.id, environment),
      accessedAt: environment.now(),
      isRemoved: false,
      onChanged: new Set(),
    };
    this.#configure(entity);
    this.#entities.set(record.path.toLowerCase(), entity);
    this.#topicOf(entity)?.subscriptions.set(record.path.toLowerCase(), entity);
    return entity;
  }

  update(kind: EntityKind, path: string, wanted: Properties): Entity {
    const entity = this.get(path, kind);
    const properties = checkProperties(kind, wanted, entity.record.properties);
    this.#checkForwarding(path, properties);
    entity.record = { ...entity.record, properties, updatedAt: this.environment.now() };
    this.#configure(entity);
    this.environment.journal.saveEntity(entity.record);
    for (const changed of [...entity.onChanged]) changed();
    for (const queue of [entity.queue, entity.deadLetter]) queue?.forwardReady();
    return entity;
  }

  remove(path: string): void {
    const entity = this.get(path);
    for (const subscription of [...entity.subscriptions.values()]) this.remove(subscription.record.path);
    this.#topicOf(entity)?.subscriptions.delete(path.toLowerCase());
    this.#entities.delete(path.toLowerCase());
    entity.isRemoved = true;
    this.environment.journal.removeEntity(entity.record.id);
    for (const changed of [...entity.onChanged]) changed();
    for (const queue of [entity.queue, entity.deadLetter, entity.transfer]) queue?.dispose();
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
    requireSendable(entity);
    const facts = messages.map((bytes) => this.#read(bytes));
    for (const { length } of messages) {
      if (length <= maxMessageSize(entity)) continue;
      const description = `A message of ${length} bytes is larger than the ${maxMessageSize(entity)} that '${path}' takes.`;
      throw new BusError('amqp:link:message-size-exceeded', description);
    }
    requireSessionIds(
      entity,
      facts.map(({ sessionId }) => sessionId),
    );
    if (scheduled && facts.some((f) => f.scheduledAt === undefined)) {
      throw new BusError('amqp:not-allowed', 'A message to schedule must say its enqueue time.');
    }
    requireRoom(
      entity,
      messages.reduce((sum, { length }) => sum + length, 0),
    );
    return facts.map((message) => this.#traffic.accept(entity, message));
  }

  #read(bytes: Buffer): Facts {
    try {
      return readMessage(bytes, this.environment.newId);
    } catch (error) {
      throw new BusError('amqp:not-allowed', `The message is not valid AMQP: ${String(error)}`);
    }
  }

  // ---- inside

  #topicOf({ record: { kind, path } }: Entity): Entity | undefined {
    if (kind !== 'subscription') return undefined;
    return this.find(path.slice(0, path.toLowerCase().lastIndexOf(separator)));
  }

  /** Gives the queues of an entity what its properties say. */
  #configure(entity: Entity): void {
    const { properties } = entity.record;
    const options = queueOptions(properties);
    entity.queue.options = options;
    const deadLetterOptions = {
      lockDuration: options.lockDuration,
      maxDeliveryCount: Number.POSITIVE_INFINITY,
      requiresSession: false,
      defaultTtl: Number.POSITIVE_INFINITY,
      deadLetterOnExpiration: false,
    };
    for (const queue of [entity.deadLetter, entity.transfer]) if (queue) queue.options = deadLetterOptions;
    const forwarder = (to: string | undefined) =>
      to ? (message: Parameters<Traffic['forward']>[1]) => this.#traffic.forward(entity, message, to) : undefined;
    entity.queue.links.forward = forwarder(properties['ForwardTo']);
    if (entity.deadLetter) entity.deadLetter.links.forward = forwarder(properties['ForwardDeadLetteredMessagesTo']);
  }

  #checkForwarding(path: string, properties: Properties): void {
    for (const key of ['ForwardTo', 'ForwardDeadLetteredMessagesTo']) {
      const to = properties[key];
      if (!to) continue;
      if (to.toLowerCase() === path.toLowerCase())
        throw new BusError('amqp:not-allowed', `${key} of '${path}' names the entity itself.`);
      const kind = this.find(to)?.record.kind;
      if (kind !== 'queue' && kind !== 'topic')
        throw new BusError('amqp:not-allowed', `${key} = '${to}' names no queue or topic that exists.`);
    }
  }
}
