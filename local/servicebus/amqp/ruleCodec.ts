// Rules as `$management` writes them: described lists
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response#rule-operations).
import { BusError } from '../core/errors.ts';
import {
  type CorrelationKey,
  correlationFilter,
  correlationKeys,
  type Filter,
  type FilterValue,
  type Rule,
  sqlAction,
  sqlFilter,
} from '../core/rules.ts';
import { types } from './rhea.ts';

const codes = {
  rule: 0x13700000004,
  sqlFilter: 0x1370000006,
  trueFilter: 0x1370000007,
  falseFilter: 0x1370000008,
  correlationFilter: 0x1370000009,
  emptyAction: 0x13700000005,
  sqlAction: 0x13700000006,
};

const requestKeys: Record<CorrelationKey, string> = {
  correlationId: 'correlation-id',
  messageId: 'message-id',
  to: 'to',
  replyTo: 'reply-to',
  subject: 'label',
  sessionId: 'session-id',
  replyToSessionId: 'reply-to-session-id',
  contentType: 'content-type',
};

const described = (code: number, items: unknown[]): unknown => types.wrap_described(items, code);

function describeFilter(filter: Filter): unknown {
  if (filter.kind === 'sql') return described(codes.sqlFilter, [filter.expression]);
  if (filter.kind !== 'correlation')
    return described(filter.kind === 'true' ? codes.trueFilter : codes.falseFilter, []);
  const application = Object.keys(filter.application).length > 0 ? types.wrap_map(filter.application) : null;
  return described(codes.correlationFilter, [...correlationKeys.map((key) => filter.system[key] ?? null), application]);
}

export function describeRule(rule: Rule): unknown {
  const action = rule.action ? described(codes.sqlAction, [rule.action.expression]) : described(codes.emptyAction, []);
  return described(codes.rule, [describeFilter(rule.filter), action, rule.name]);
}

export function readRule(name: string, description: unknown, now: number): Rule {
  const fields = (description ?? {}) as Record<string, Record<string, unknown> | undefined>;
  const expression = fields['sql-rule-action']?.['expression'];
  const action = sqlAction(typeof expression === 'string' ? expression : undefined);
  const sql = fields['sql-filter'];
  if (sql) return { name, filter: sqlFilter(String(sql['expression'])), action, createdAt: now };
  const correlation = fields['correlation-filter'];
  if (!correlation) throw new BusError('amqp:not-allowed', 'The rule has no filter.');
  const system: Partial<Record<CorrelationKey, string>> = {};
  for (const key of correlationKeys) {
    const value = correlation[requestKeys[key]];
    if (value !== undefined && value !== null) system[key] = String(value);
  }
  const application = (correlation['properties'] ?? {}) as Record<string, FilterValue>;
  return { name, filter: correlationFilter(system, { ...application }), action, createdAt: now };
}
