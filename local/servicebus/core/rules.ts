// Rules of a subscription: filters (true, false, correlation, SQL) and actions. What a rule does with a message.
import type { Facts } from '../wire/message.ts';
import { readMessage } from '../wire/message.ts';
import { withProperties } from '../wire/rewrite.ts';
import { BusError } from './errors.ts';
import { runAction } from './sql/action.ts';
import type { Predicate, Statement } from './sql/ast.ts';
import { truthOf } from './sql/evaluate.ts';
import { parseAction, parseFilter } from './sql/parser.ts';
import type { Scope } from './sql/scope.ts';
import { areEqual } from './sql/values.ts';

/** A Date only in memory; the journal and the protocols write it in their ways. */
export type FilterValue = string | number | boolean | Date;

export const correlationKeys = [
  'correlationId',
  'messageId',
  'to',
  'replyTo',
  'subject',
  'sessionId',
  'replyToSessionId',
  'contentType',
] as const;

export type CorrelationKey = (typeof correlationKeys)[number];

/** SQL as it was written, with values for its `@parameters`. */
export interface Sql {
  expression: string;
  parameters: Readonly<Record<string, FilterValue>>;
}

export type Filter =
  | { kind: 'true' }
  | { kind: 'false' }
  | ({ kind: 'sql' } & Sql)
  | { kind: 'correlation'; system: Partial<Record<CorrelationKey, string>>; application: Record<string, FilterValue> };

export interface Rule {
  name: string;
  filter: Filter;
  action?: Sql | undefined;
  createdAt: number;
}

export const defaultRuleName = '$Default';

export function sqlFilter(expression: string, parameters: Sql['parameters'] = {}): Filter {
  const plain = expression.replaceAll(/\s/g, '');
  if (plain === '1=1') return { kind: 'true' };
  if (plain === '1=0') return { kind: 'false' };
  const filter = { kind: 'sql', expression, parameters } as const;
  predicateOf(filter);
  return filter;
}

/** An action, checked; undefined for none. */
export function sqlAction(expression: string | undefined, parameters: Sql['parameters'] = {}): Sql | undefined {
  if (!expression) return undefined;
  const action = { expression, parameters };
  statementsOf(action);
  return action;
}

export function correlationFilter(
  system: Partial<Record<CorrelationKey, string>>,
  application: Record<string, FilterValue>,
): Filter {
  if (Object.keys(system).length + Object.keys(application).length === 0) {
    throw new BusError('amqp:not-allowed', 'A correlation filter must name at least one property.');
  }
  return { kind: 'correlation', system, application };
}

/** Parses once for as long as the SQL lives. */
function parsedOnce<T>(parse: (expression: string, parameters: Sql['parameters']) => T): (sql: Sql) => T {
  const known = new WeakMap<Sql, T>();
  return (sql) => {
    const found = known.get(sql) ?? parse(sql.expression, sql.parameters);
    known.set(sql, found);
    return found;
  };
}

const predicateOf = parsedOnce<Predicate>(parseFilter);
const statementsOf = parsedOnce<Statement[]>(parseAction);

function scopeOf(message: Facts, newId: () => string): Scope {
  let byLowerName: Map<string, string> | undefined;
  return {
    newId,
    system: (name) => message[name],
    user(name) {
      const application = message.application();
      if (application.has(name)) return application.get(name);
      byLowerName ??= new Map([...application.keys()].map((key) => [key.toLowerCase(), key]));
      return application.get(byLowerName.get(name.toLowerCase()) ?? name);
    },
  };
}

/** Whether a message passes a filter. Unknown is no. Throws a FilterException where SQL cannot be evaluated. */
export function passes(filter: Filter, message: Facts, newId: () => string): boolean {
  if (filter.kind === 'sql') return truthOf(predicateOf(filter), scopeOf(message, newId)) === true;
  if (filter.kind !== 'correlation') return filter.kind === 'true';
  for (const key of correlationKeys) {
    const wanted = filter.system[key];
    if (wanted !== undefined && message[key] !== wanted) return false;
  }
  return Object.entries(filter.application).every(([key, wanted]) => {
    const found = message.application().get(key);
    return found !== undefined && areEqual(found, wanted);
  });
}

/** The copy of a message that a rule with an action makes; it names its rule in the property `RuleName`. */
export function transform(rule: Rule & { action: Sql }, message: Facts, newId: () => string): Facts {
  const { system, user } = runAction(statementsOf(rule.action), scopeOf(message, newId));
  const named = new Map([...user, ['RuleName', rule.name] as const]);
  return readMessage(withProperties(message.raw, { system, user: named }), newId);
}

export const hasAction = (rule: Rule): rule is Rule & { action: Sql } => rule.action !== undefined;
