// Rules of a subscription. Known: the true filter (SQL `1=1`), the false filter (`1=0`) and correlation filters. Any
// other SQL expression and every action is refused when the rule is made, never ignored.
import type { Facts } from '../wire/message.ts';
import { BusError } from './errors.ts';

export type FilterValue = string | number | boolean;

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

export type Filter =
  | { kind: 'true' }
  | { kind: 'false' }
  | { kind: 'correlation'; system: Partial<Record<CorrelationKey, string>>; application: Record<string, FilterValue> };

export interface Rule {
  name: string;
  filter: Filter;
  createdAt: number;
}

export const defaultRuleName = '$Default';

export function sqlFilter(expression: string): Filter {
  const plain = expression.replaceAll(/\s/g, '');
  if (plain === '1=1') return { kind: 'true' };
  if (plain === '1=0') return { kind: 'false' };
  throw new BusError(
    'amqp:not-allowed',
    `SQL filter '${expression}' is not supported here: only 1=1, 1=0 and correlation filters are.`,
  );
}

export function refuseAction(expression: string | undefined): void {
  if (expression) throw new BusError('amqp:not-allowed', 'SQL rule actions are not supported here.');
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

/** Whether a message passes a filter; all named properties must be equal. */
export function passes(filter: Filter, message: Facts): boolean {
  if (filter.kind !== 'correlation') return filter.kind === 'true';
  for (const key of correlationKeys) {
    const wanted = filter.system[key];
    if (wanted !== undefined && message[key] !== wanted) return false;
  }
  return Object.entries(filter.application).every(([key, wanted]) => {
    const found = message.application.get(key);
    return found === wanted || (typeof found === 'bigint' && found === BigInt(Number(wanted)));
  });
}
