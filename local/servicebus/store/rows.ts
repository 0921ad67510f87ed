// How rows of the journal become entities and messages again.
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Broker } from '../core/broker.ts';
import type { Rule } from '../core/rules.ts';
import type { Stored } from '../core/stored.ts';
import { mapEntries } from '../wire/message.ts';
import { encodeMap, encodeString } from '../wire/values.ts';

/** Added application properties as one encoded AMQP map, so that their types survive. */
export function packExtra(extra: ReadonlyMap<string, Buffer>): Buffer | null {
  if (extra.size === 0) return null;
  return encodeMap([...extra].flatMap(([key, value]) => [encodeString(key), value]));
}

const bytes = z.instanceof(Uint8Array).transform((value) => Buffer.from(value));

const MessageRow = z
  .object({
    seq: z.number(),
    enqueued_seq: z.number(),
    state: z.enum(['active', 'deferred', 'scheduled']),
    message_id: z.string(),
    session_id: z.string().nullable(),
    enqueued_at: z.number(),
    visible_at: z.number(),
    expires_at: z.number().nullable(),
    delivery_count: z.number(),
    delivered: z.number(),
    source: z.string().nullable(),
    extra: bytes.nullable(),
    raw: bytes,
  })
  .transform(
    (row): Stored => ({
      sequenceNumber: row.seq,
      enqueuedSequenceNumber: row.enqueued_seq,
      state: row.state,
      messageId: row.message_id,
      sessionId: row.session_id ?? undefined,
      enqueuedAt: row.enqueued_at,
      visibleAt: row.visible_at,
      expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
      deliveryCount: row.delivery_count,
      delivered: row.delivered === 1,
      deadLetterSource: row.source ?? undefined,
      extra: row.extra ? mapEntries(row.extra, 0) : new Map(),
      raw: row.raw,
    }),
  );

const RecordJson = z.object({
  id: z.number(),
  kind: z.enum(['queue', 'topic', 'subscription']),
  path: z.string(),
  properties: z.record(z.string(), z.string()),
  createdAt: z.number(),
  updatedAt: z.number(),
});
/** A rule as text; a date says that it is one. */
export const ruleText = (rule: Rule): string =>
  JSON.stringify(rule, function (this: Record<string, unknown>, key, value: unknown) {
    const plain = this[key];
    return plain instanceof Date ? { date: plain.getTime() } : value;
  });

const DateJson = z.object({ date: z.number() }).transform(({ date }) => new Date(date));
const ValuesJson = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), DateJson]));
const SqlJson = z.object({ expression: z.string(), parameters: ValuesJson });
const RuleJson = z.object({
  name: z.string(),
  createdAt: z.number(),
  action: SqlJson.optional(),
  filter: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('true') }),
    z.object({ kind: z.literal('false') }),
    SqlJson.extend({ kind: z.literal('sql') }),
    z.object({
      kind: z.literal('correlation'),
      system: z.record(z.string(), z.string()),
      application: ValuesJson,
    }),
  ]),
});
const EntityRow = z.object({ record: z.string() });
const RuleRow = z.object({ rule: z.string() });
const SessionRow = z.object({ id: z.string(), state: bytes, updated_at: z.number() });
const CounterRow = z.object({ next: z.number() });
const SeenRow = z.object({ message_id: z.string(), until: z.number() });

/** Fills a fresh broker with everything that the journal holds. */
export function recover(database: DatabaseSync, broker: Broker): void {
  const all = <T>(type: z.ZodType<T>, sql: string, ...parameters: number[]): T[] =>
    database
      .prepare(sql)
      .all(...parameters)
      .map((row) => type.parse(row));
  const records = all(EntityRow, 'SELECT record FROM entity ORDER BY id').map((row) =>
    RecordJson.parse(JSON.parse(row.record)),
  );
  const entities = records.map((record) => broker.adopt(record));
  for (const entity of entities) {
    const { id } = entity.record;
    for (const row of all(RuleRow, 'SELECT rule FROM rule WHERE subscription = ?', id)) {
      const rule = RuleJson.parse(JSON.parse(row.rule));
      entity.rules.set(rule.name.toLowerCase(), rule);
    }
    for (const row of all(SeenRow, 'SELECT message_id, until FROM seen WHERE entity = ? ORDER BY until', id)) {
      entity.dedupe.restore(row.message_id, row.until);
    }
    for (const queue of [entity.deadLetter, entity.transfer, entity.queue]) {
      if (!queue) continue;
      const messages = all(MessageRow, 'SELECT * FROM message WHERE queue = ? ORDER BY seq', queue.id);
      const states = all(SessionRow, 'SELECT id, state, updated_at FROM session WHERE queue = ?', queue.id);
      const counter = all(CounterRow, 'SELECT next FROM counter WHERE queue = ?', queue.id)[0];
      const sessions = states.map((row) => [row.id, { state: row.state, stateUpdatedAt: row.updated_at }] as const);
      queue.restore(messages, new Map(sessions), counter?.next ?? 1);
    }
  }
  // Only now: messages may move to other queues, under numbers that must be free.
  for (const { queue, deadLetter, transfer } of entities) {
    for (const each of [queue, deadLetter, transfer]) each?.resume();
  }
}
