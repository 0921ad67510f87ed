// The operations of `$management`. Each takes the request's map and returns the reply's, or undefined for "nothing".
import type { Right } from '../auth/sas.ts';
import { requireReceivable } from '../core/admission.ts';
import type { Broker } from '../core/broker.ts';
import { BusError, sessionLockLost } from '../core/errors.ts';
import type { MessageQueue, Outcome, Taken } from '../core/queue.ts';
import type { Stored } from '../core/stored.ts';
import { buildDelivery } from '../wire/delivery.ts';
import { uuidBytes, uuidText } from '../wire/guid.ts';
import { deadLetterOutcome, encodeProperties } from './outcome.ts';
import { types } from './rhea.ts';
import { describeRule, readRule } from './ruleCodec.ts';

export interface Context {
  broker: Broker;
  entity: string;
  queue: MessageQueue;
  fields: Record<string, unknown>;
}

interface Operation {
  right: Right;
  run(context: Context): Record<string, unknown> | undefined;
}

const bad = (text: string): BusError => new BusError('amqp:not-allowed', text);

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw bad('A list is missing in the request.');
  return value;
}

function number(value: unknown): number {
  const plain = Buffer.isBuffer(value) ? Number(value.readBigInt64BE()) : Number(value);
  if (!Number.isFinite(plain)) throw bad('A number is missing in the request.');
  return plain;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const tokens = (value: unknown): string[] => list(value).map((token) => uuidText(token as Buffer));
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

function encode(message: Stored, taken?: Taken, withBody = true): Buffer {
  return buildDelivery(message.raw, { ...message, lockedUntil: taken?.lockedUntil }, withBody);
}

function sessionId({ queue, fields }: Context): string {
  const id = text(fields['session-id']);
  if (id === undefined) throw bad('The session id is missing in the request.');
  if (!queue.options.requiresSession) throw bad('The entity has no sessions.');
  return id;
}

function disposition(fields: Record<string, unknown>): Outcome {
  const extra = encodeProperties(fields['properties-to-modify']);
  switch (fields['disposition-status']) {
    case 'completed':
      return { kind: 'complete' };
    case 'abandoned':
      return { kind: 'abandon', extra };
    case 'defered':
      return { kind: 'defer', extra };
    case 'suspended':
      return deadLetterOutcome(
        fields['properties-to-modify'],
        fields['deadletter-reason'],
        fields['deadletter-description'],
      );
    default:
      throw bad(`Disposition status '${String(fields['disposition-status'])}' is unknown.`);
  }
}

/** .NET's greatest DateTime, to the second: asks for sessions that have messages, whenever their state was set. */
const endOfTime = Date.UTC(9999, 11, 31, 23, 59, 59);

export const operations: Record<string, Operation> = {
  'renew-lock': {
    right: 'Listen',
    run: ({ queue, fields }) => ({
      expirations: types.wrap_array(
        tokens(fields['lock-tokens']).map((token) => queue.renewLock(token)),
        0x83,
        undefined,
      ),
    }),
  },
  'renew-session-lock': {
    right: 'Listen',
    run: (context) => ({ expiration: types.wrap_timestamp(context.queue.sessions.renew(sessionId(context))) }),
  },
  'set-session-state': {
    right: 'Listen',
    run(context) {
      const state = context.fields['session-state'];
      context.queue.setSessionState(sessionId(context), Buffer.isBuffer(state) ? Buffer.from(state) : null);
      return {};
    },
  },
  'get-session-state': {
    right: 'Listen',
    run: (context) => ({ 'session-state': context.queue.sessionState(sessionId(context)) }),
  },
  'peek-message': {
    right: 'Listen',
    run({ queue, fields }) {
      const from = number(fields['from-sequence-number']);
      const found = queue.peek(from, number(fields['message-count']), text(fields['session-id']));
      const withBody = fields['omit-message-body'] !== true;
      if (found.length === 0) return undefined;
      return { messages: found.map((message) => ({ message: encode(message, undefined, withBody) })) };
    },
  },
  'schedule-message': {
    right: 'Send',
    run({ broker, entity, fields }) {
      const messages = list(fields['messages']).map((item) => (item as { message?: unknown }).message);
      if (!messages.every((message) => Buffer.isBuffer(message))) throw bad('A message is missing in the request.');
      return { 'sequence-numbers': types.wrap_array(broker.send(entity, messages, true).map(long), 0x81, undefined) };
    },
  },
  'cancel-scheduled-message': {
    right: 'Send',
    run({ queue, fields }) {
      queue.cancelScheduled(list(fields['sequence-numbers']).map(number));
      return {};
    },
  },
  'receive-by-sequence-number': {
    right: 'Listen',
    run({ broker, entity, queue, fields }) {
      if (broker.get(entity).queue === queue) requireReceivable(broker.get(entity));
      const mode = Number(fields['receiver-settle-mode'] ?? 1) === 0 ? 'receiveAndDelete' : 'peekLock';
      const taken = queue.takeDeferred(list(fields['sequence-numbers']).map(number), mode, text(fields['session-id']));
      const messages = taken.map((item) => ({
        message: encode(item.message, item),
        ...(item.token ? { 'lock-token': types.wrap_uuid(uuidBytes(item.token)) } : {}),
      }));
      return { messages };
    },
  },
  'update-disposition': {
    right: 'Listen',
    run({ queue, fields }) {
      const id = text(fields['session-id']);
      if (id !== undefined && queue.options.requiresSession && !queue.sessions.lanes.get(id)?.lock)
        throw sessionLockLost(id);
      const outcome = disposition(fields);
      for (const token of tokens(fields['lock-tokens'])) queue.settle(token, outcome);
      return {};
    },
  },
  'get-message-sessions': {
    right: 'Listen',
    run({ queue, fields }) {
      const skip = number(fields['skip'] ?? 0);
      const since = Number(fields['last-updated-time'] ?? endOfTime);
      const ids = queue.listSessions(since >= endOfTime ? undefined : since);
      const page = ids.slice(skip, skip + number(fields['top'] ?? 100));
      return page.length === 0 ? undefined : { skip: types.wrap_int(skip + page.length), 'sessions-ids': page };
    },
  },
  'enumerate-rules': {
    right: 'Listen',
    run({ broker, entity, fields }) {
      const skip = number(fields['skip'] ?? 0);
      const rules = [...broker.get(entity, 'subscription').rules.values()].slice(
        skip,
        skip + number(fields['top'] ?? 100),
      );
      return rules.length === 0
        ? undefined
        : { rules: rules.map((rule) => ({ 'rule-description': describeRule(rule) })) };
    },
  },
  'add-rule': {
    right: 'Listen',
    run({ broker, entity, fields }) {
      const name = text(fields['rule-name']) ?? '';
      broker.addRule(entity, readRule(name, fields['rule-description'], broker.environment.now()));
      return {};
    },
  },
  'remove-rule': {
    right: 'Listen',
    run({ broker, entity, fields }) {
      broker.removeRule(entity, text(fields['rule-name']) ?? '');
      return {};
    },
  },
};
