// Entities and rules as the administration API describes them, both ways.
import type { Entity } from '../core/admission.ts';
import { sizeOf } from '../core/admission.ts';
import type { Properties } from '../core/entity.ts';
import { BusError } from '../core/errors.ts';
import {
  correlationFilter,
  type Filter,
  type FilterValue,
  type Rule,
  type Sql,
  sqlAction,
  sqlFilter,
} from '../core/rules.ts';
import { correlationNames, system } from '../namespace.ts';
import { child, children, element, type Entry, escapeXml, type Node, readEntry, textOf } from './xml.ts';

const kinds = { queue: 'QueueDescription', topic: 'TopicDescription', subscription: 'SubscriptionDescription' };
const date = (ms: number): string => new Date(ms).toISOString();

function counts(entity: Entity): string {
  const inside = entity.queue.counts;
  const [dead, transfer] = [entity.deadLetter, entity.transfer].map((queue) =>
    queue ? queue.counts.active + queue.counts.deferred : 0,
  );
  // The client finds the prefix of these by taking the only attribute apart.
  const prefix = 'd2p1';
  const part = (name: string, value: number) => element(`${prefix}:${name}`, value);
  const details =
    part('ActiveMessageCount', inside.active + inside.deferred) +
    part('DeadLetterMessageCount', dead ?? 0) +
    part('ScheduledMessageCount', inside.scheduled) +
    part('TransferMessageCount', 0) +
    part('TransferDeadLetterMessageCount', transfer ?? 0);
  const total = inside.active + inside.deferred + inside.scheduled + (dead ?? 0) + (transfer ?? 0);
  return `${element('SizeInBytes', sizeOf(entity))}${element('MessageCount', total)}<CountDetails xmlns:${prefix}="http://schemas.microsoft.com/netservices/2011/06/servicebus">${details}</CountDetails>`;
}

export function describeEntity(base: string, entity: Entity, subscriptions: number): Entry {
  const { kind, path, properties, createdAt, updatedAt } = entity.record;
  const url = (to: string) => `${base.replace(/^https?/, 'sb')}/${to}`;
  const content =
    Object.entries(properties)
      .map(([key, value]) => element(key, key.startsWith('Forward') ? url(value) : value))
      .join('') +
    element('CreatedAt', date(createdAt)) +
    element('UpdatedAt', date(updatedAt)) +
    element('AccessedAt', date(entity.accessedAt)) +
    counts(entity) +
    (kind === 'topic' ? element('SubscriptionCount', subscriptions) : '');
  return { id: `${base}/${path}`, title: path, kind: kinds[kind], content };
}

/** The properties that a request sets. */
export function readProperties(
  kind: keyof typeof kinds,
  xml: string,
): { properties: Properties; rule: Node | undefined } {
  const properties: Properties = {};
  let rule: Node | undefined;
  for (const [key, value] of Object.entries(readEntry(xml, kinds[kind]))) {
    const node = Array.isArray(value) ? value[0] : value;
    if (key === 'DefaultRuleDescription') rule = node;
    else if (key === 'AuthorizationRules')
      throw new BusError('amqp:not-allowed', 'Authorization rules are configured at start, not here.');
    else if (!key.startsWith('@') && typeof node === 'string') properties[key] = node;
  }
  return { properties, rule };
}

const numeric = /:(int|long|double|decimal|float)$/;

function readValue(node: Node | undefined): FilterValue {
  const text = textOf(node) ?? '';
  const type = textOf(child(node, '@type')) ?? '';
  if (numeric.test(type)) return Number(text);
  if (type.endsWith(':boolean')) return text === 'true';
  if (type.endsWith(':string')) return text;
  if (type.endsWith(':dateTime')) return new Date(text);
  throw new BusError('amqp:not-allowed', `Filter values of type '${type}' are not supported here.`);
}

function readPairs(node: Node | undefined): Record<string, FilterValue> {
  const pairs: Record<string, FilterValue> = {};
  for (const pair of children(node, 'KeyValueOfstringanyType')) {
    pairs[textOf(child(pair, 'Key')) ?? ''] = readValue(child(pair, 'Value'));
  }
  return pairs;
}

export function readRule(node: Node | undefined, name: string | undefined, createdAt: number): Rule {
  const filter = child(node, 'Filter');
  const asked = child(node, 'Action');
  const action = sqlAction(textOf(child(asked, 'SqlExpression')), readPairs(child(asked, 'Parameters')));
  const ruleName = name ?? textOf(child(node, 'Name')) ?? '';
  if (textOf(child(filter, '@type')) !== 'CorrelationFilter') {
    const expression = textOf(child(filter, 'SqlExpression'));
    const parameters = readPairs(child(filter, 'Parameters'));
    return { name: ruleName, filter: sqlFilter(expression ?? '1=1', parameters), action, createdAt };
  }
  const application = readPairs(child(filter, 'Properties'));
  return {
    name: ruleName,
    filter: correlationFilter(system(filter as Record<string, unknown>), application),
    action,
    createdAt,
  };
}

function pairsXml(name: string, values: Readonly<Record<string, FilterValue>>): string {
  const pairs = Object.entries(values).map(([key, value]) => {
    const type = typeof value === 'number' ? 'double' : value instanceof Date ? 'dateTime' : typeof value;
    const text = escapeXml(value instanceof Date ? value.toISOString() : String(value));
    const typed = `<Value i:type="d6p1:${type}" xmlns:d6p1="http://www.w3.org/2001/XMLSchema">${text}</Value>`;
    return `<KeyValueOfstringanyType>${element('Key', key)}${typed}</KeyValueOfstringanyType>`;
  });
  return pairs.length > 0 ? `<${name}>${pairs.join('')}</${name}>` : '';
}

const sqlXml = ({ expression, parameters }: Sql): string =>
  element('SqlExpression', expression) + pairsXml('Parameters', parameters);

const actionXml = (action: Sql | undefined): string =>
  action ? `<Action i:type="SqlRuleAction">${sqlXml(action)}</Action>` : '<Action i:type="EmptyRuleAction"/>';

function filterXml(filter: Filter): string {
  if (filter.kind === 'sql') return `<Filter i:type="SqlFilter">${sqlXml(filter)}</Filter>`;
  if (filter.kind !== 'correlation') {
    const [type, expression] = filter.kind === 'true' ? ['TrueFilter', '1=1'] : ['FalseFilter', '1=0'];
    return `<Filter i:type="${type}">${element('SqlExpression', expression)}</Filter>`;
  }
  const named = Object.entries(correlationNames)
    .map(([key, name]) => [name, filter.system[key as keyof typeof filter.system]] as const)
    .map(([name, value]) => (value === undefined ? '' : element(name, value)))
    .join('');
  return `<Filter i:type="CorrelationFilter">${named}${pairsXml('Properties', filter.application)}</Filter>`;
}

export function describeRule(base: string, subscription: string, rule: Rule): Entry {
  return {
    id: `${base}/${subscription}/Rules/${rule.name}`,
    title: rule.name,
    kind: 'RuleDescription',
    content: `${filterXml(rule.filter)}${actionXml(rule.action)}${element('CreatedAt', date(rule.createdAt))}${element('Name', rule.name)}`,
  };
}
