// Queues, topics and subscriptions: their properties by the names that ATOM and Microsoft's emulator configuration
// share, with Azure's defaults. A property whose behaviour is not built is refused unless it has its default.
import { forever, parseDuration } from './duration.ts';
import { BusError } from './errors.ts';
import type { QueueOptions } from './queue.ts';

export type EntityKind = 'queue' | 'topic' | 'subscription';
export type Properties = Record<string, string>;

/** An entity as the journal keeps it. A subscription's path is `topic/Subscriptions/name`. */
export interface EntityRecord {
  id: number;
  kind: EntityKind;
  path: string;
  properties: Properties;
  createdAt: number;
  updatedAt: number;
}

const received: Properties = {
  LockDuration: 'PT1M',
  RequiresSession: 'false',
  DefaultMessageTimeToLive: forever,
  DeadLetteringOnMessageExpiration: 'false',
  MaxDeliveryCount: '10',
};
const common: Properties = {
  EnableBatchedOperations: 'true',
  Status: 'Active',
  AutoDeleteOnIdle: forever,
  EntityAvailabilityStatus: 'Available',
};
const sized: Properties = {
  MaxSizeInMegabytes: '1024',
  RequiresDuplicateDetection: 'false',
  DuplicateDetectionHistoryTimeWindow: 'PT10M',
  EnablePartitioning: 'false',
  EnableExpress: 'false',
};

const defaults: Record<EntityKind, Properties> = {
  queue: { ...received, ...common, ...sized },
  topic: { DefaultMessageTimeToLive: forever, SupportOrdering: 'true', ...common, ...sized },
  subscription: { ...received, ...common, DeadLetteringOnFilterEvaluationExceptions: 'true' },
};

const notBuilt = ['AutoDeleteOnIdle', 'EnablePartitioning', 'EnableExpress'];
const flags = [
  'RequiresSession',
  'RequiresDuplicateDetection',
  'DeadLetteringOnMessageExpiration',
  'EnablePartitioning',
];
const forwarding = ['ForwardTo', 'ForwardDeadLetteredMessagesTo'];
/** What an update that does not name it takes away. */
const removable = [...forwarding, 'UserMetadata'];
const statuses = ['Active', 'Disabled', 'SendDisabled', 'ReceiveDisabled'];
const fixedAtCreation = ['RequiresSession', 'RequiresDuplicateDetection'];

/** Completes and checks properties. `before` is the entity as it is, for an update. */
export function checkProperties(kind: EntityKind, wanted: Properties, before?: Properties): Properties {
  const result: Properties = { ...(before ?? defaults[kind]) };
  for (const key of removable) delete result[key];
  for (const [key, raw] of Object.entries(wanted)) {
    const value = raw === 'True' || raw === 'False' ? raw.toLowerCase() : raw;
    if (value === '') continue;
    if (notBuilt.includes(key) && !isDefault(key, value)) {
      throw new BusError('amqp:not-allowed', `${key} = '${value}' is not supported here.`);
    }
    if (before && fixedAtCreation.includes(key) && value !== before[key]) {
      throw new BusError('amqp:not-allowed', `${key} cannot be changed after creation.`);
    }
    if (flags.includes(key) && value !== 'true' && value !== 'false') {
      throw new BusError('amqp:not-allowed', `${key} must be true or false.`);
    }
    // The administration client writes addresses as URLs.
    result[key] = forwarding.includes(key) ? value.replace(/^[a-z]+:\/\/[^/]*\/+/i, '') : value;
  }
  if (!statuses.includes(result['Status'] ?? '')) {
    throw new BusError('amqp:not-allowed', `Status must be one of ${statuses.join(', ')}.`);
  }
  if (result['RequiresSession'] === 'true' && result['ForwardTo']) {
    throw new BusError('amqp:not-allowed', 'An entity with sessions cannot forward: ForwardTo must be empty.');
  }
  for (const key of ['MaxSizeInMegabytes', 'MaxMessageSizeInKilobytes']) {
    if (result[key] !== undefined && !/^[1-9]\d*$/.test(result[key])) {
      throw new BusError('amqp:not-allowed', `${key} must be a whole number above 0.`);
    }
  }
  if (kind !== 'topic') {
    const lock = parseDuration(result['LockDuration'] ?? '');
    if (!(lock > 0 && lock <= 300_000)) throw new BusError('amqp:not-allowed', 'LockDuration must be at most PT5M.');
    const count = Number(result['MaxDeliveryCount']);
    if (!Number.isInteger(count) || count < 1 || count > 2000) {
      throw new BusError('amqp:not-allowed', 'MaxDeliveryCount must be from 1 to 2000.');
    }
  }
  parseDuration(result['DefaultMessageTimeToLive'] ?? '');
  if (result['DuplicateDetectionHistoryTimeWindow']) parseDuration(result['DuplicateDetectionHistoryTimeWindow']);
  return result;
}

function isDefault(key: string, value: string): boolean {
  if (key === 'AutoDeleteOnIdle') return parseDuration(value) === Number.POSITIVE_INFINITY;
  return value === 'false';
}

export function queueOptions(properties: Properties): QueueOptions {
  return {
    lockDuration: parseDuration(properties['LockDuration'] ?? 'PT1M'),
    maxDeliveryCount: Number(properties['MaxDeliveryCount'] ?? 10),
    requiresSession: properties['RequiresSession'] === 'true',
    defaultTtl: parseDuration(properties['DefaultMessageTimeToLive'] ?? forever),
    deadLetterOnExpiration: properties['DeadLetteringOnMessageExpiration'] === 'true',
  };
}

const name = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?$/;

export function checkName(kind: EntityKind | 'rule', text: string): void {
  const longest = kind === 'queue' || kind === 'topic' ? 260 : 50;
  const allowed = name.test(text) || (kind === 'rule' && text === '$Default');
  if (!allowed || text.length > longest || (longest === 50 && text.includes('/'))) {
    throw new BusError('amqp:not-allowed', `'${text}' is not a valid name for a ${kind}.`);
  }
}
