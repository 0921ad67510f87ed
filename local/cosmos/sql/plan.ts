// The plan for a query over several partition ranges: what the client must merge, and the rewritten query that each
// range answers. The rewritten texts have the form that @azure/cosmos@4.10.1 reads in queryExecutionContext/.

import { badRequest } from '../errors.ts';
import type { Expression, Query, SelectItem, Span } from './ast.ts';
import { count, gatheredSource } from './execute.ts';
import { usesAggregate } from './grouping.ts';
import { nameOf } from './parser.ts';
import type { Value } from './values.ts';

interface QueryInfo {
  distinctType: 'None' | 'Unordered';
  top: number | null;
  offset: number | null;
  limit: number | null;
  orderBy: ('Ascending' | 'Descending')[];
  orderByExpressions: string[];
  groupByExpressions: string[];
  groupByAliases: string[];
  aggregates: string[];
  groupByAliasToAggregateType: Record<string, string | null>;
  rewrittenQuery: string;
  hasSelectValue: boolean;
  dCountInfo: null;
  hasNonStreamingOrderBy: false;
}

export interface Plan {
  queryInfo: QueryInfo;
  /** A plain query is answered range by range, without the client's merging. */
  isPlain: boolean;
  /** Aggregates and groups are refused with a sentence of their own. */
  isAggregate: boolean;
}

const TYPES: Record<string, string> = {
  COUNT: 'Count',
  SUM: 'Sum',
  AVG: 'Average',
  MIN: 'Min',
  MAX: 'Max',
  COUNTIF: 'CountIf',
  MAKELIST: 'MakeList',
  MAKESET: 'MakeSet',
};
const FILTER = '{documentdb-formattableorderbyquery-filter}';

export function planQuery(text: string, query: Query, parameters: ReadonlyMap<string, Value>): Plan {
  if (gatheredSource(query)) {
    // The service plans these for clients that can merge them; @azure/cosmos 4.10.1 says that it cannot.
    throw badRequest(
      'Query contains the following features, which the calling client does not support: DCount. It runs in one partition: give a partitionKey.',
    );
  }
  const { select } = query;
  const cut = ({ start, end }: Span) => text.slice(start, end);
  const top = count(query.top, { parameters });
  const offset = count(query.offset, { parameters });
  const limit = count(query.limit, { parameters });
  const items = select.kind === 'list' ? select.items : [];
  const values = select.kind === 'value' ? [select.value] : items.map((item) => item.value);
  const aggregates = values.map(aggregateType).filter((type) => type !== undefined);
  const isGrouped = query.groupBy.length > 0;
  const isOrdered = query.orderBy.length > 0;

  const queryInfo: QueryInfo = {
    distinctType: query.isDistinct ? 'Unordered' : 'None',
    top: top ?? null,
    offset: offset ?? null,
    limit: limit ?? null,
    orderBy: query.orderBy.map(({ isDescending }) => (isDescending ? 'Descending' : 'Ascending')),
    orderByExpressions: query.orderBy.map(({ value }) => cut(value)),
    groupByExpressions: query.groupBy.map(cut),
    groupByAliases: isGrouped ? items.map(aliasOf) : [],
    // With GROUP BY the client takes the types from the aliases.
    aggregates: isGrouped && select.kind === 'list' ? [] : aggregates,
    groupByAliasToAggregateType: isGrouped
      ? Object.fromEntries(items.map((item, at) => [aliasOf(item, at), aggregateType(item.value) ?? null]))
      : {},
    rewrittenQuery: '',
    hasSelectValue: select.kind === 'value',
    dCountInfo: null,
    hasNonStreamingOrderBy: false,
  };

  const from = query.fromSpan ? ` ${cut(query.fromSpan)}` : '';
  const where = query.where ? ` WHERE ${cut(query.where)}` : '';
  if (isGrouped) {
    const keys = query.groupBy.map((key) => `{"item": ${cut(key)}}`).join(', ');
    const payload =
      select.kind === 'value' ? valuePayload(select.value, cut) : objectPayload(items, (value) => wrapped(value, cut));
    const by = query.groupBy.map(cut).join(', ');
    queryInfo.rewrittenQuery = `SELECT [${keys}] AS groupByItems, ${payload} AS payload${from}${where} GROUP BY ${by}`;
  } else if (aggregates.length > 0 && select.kind === 'value') {
    queryInfo.rewrittenQuery = `SELECT VALUE ${valuePayload(select.value, cut)}${from}${where}`;
  } else if (isOrdered) {
    // DISTINCT comes before the limit, and the client removes duplicates, so then it limits as well.
    const isLimited = !query.isDistinct && (top !== undefined || offset !== undefined);
    const least = Math.min(
      top ?? Number.POSITIVE_INFINITY,
      offset === undefined ? Number.POSITIVE_INFINITY : offset + (limit ?? 0),
    );
    const alias = query.sources[0]?.alias ?? 'root';
    const keys = query.orderBy.map(({ value }) => `{"item": ${cut(value)}}`).join(', ');
    const payload =
      select.kind === 'star' ? alias : select.kind === 'value' ? cut(select.value) : objectPayload(items, cut);
    const condition = query.where ? `(${cut(query.where)}) AND (${FILTER})` : `(${FILTER})`;
    const order = query.orderBy.map(({ value, isDescending }) => `${cut(value)} ${isDescending ? 'DESC' : 'ASC'}`);
    queryInfo.rewrittenQuery =
      `SELECT${isLimited ? ` TOP ${least}` : ''} ${alias}._rid, [${keys}] AS orderByItems, ${payload} AS payload` +
      `${from} WHERE ${condition} ORDER BY ${order.join(', ')}`;
  } else if (query.offset && query.limit) {
    const all = (offset ?? 0) + (limit ?? 0);
    queryInfo.rewrittenQuery = `${text.slice(0, query.offset.start)}0 LIMIT ${all}`;
  }

  const isAggregate = isGrouped || values.some(usesAggregate);
  const isPlain = !isAggregate && !isOrdered && !query.isDistinct && top === undefined && offset === undefined;
  return { queryInfo, isPlain, isAggregate };
}

function aggregateType(value: Expression): string | undefined {
  return value.kind === 'call' ? TYPES[value.name] : undefined;
}

function valuePayload(value: Expression, cut: (span: Span) => string): string {
  return aggregateType(value) ? `[${wrapped(value, cut)}]` : cut(value);
}

function objectPayload(items: SelectItem[], text: (value: Expression) => string): string {
  const properties = items.map((item, at) => `${JSON.stringify(aliasOf(item, at))}: ${text(item.value)}`);
  return `{${properties.join(', ')}}`;
}

/** An aggregate in the form in which the client can go on adding to it. */
function wrapped(value: Expression, cut: (span: Span) => string): string {
  if (value.kind !== 'call' || !aggregateType(value)) return cut(value);
  const argument = value.args[0] ? cut(value.args[0]) : '1';
  if (value.name === 'AVG') return `{"item": {"sum": SUM(${argument}), "count": COUNT(${argument})}}`;
  if (value.name === 'MIN' || value.name === 'MAX') {
    const property = value.name.toLowerCase();
    return `{"item": ${cut(value)}, "item2": {"${property}": ${cut(value)}, "count": COUNT(${argument})}}`;
  }
  return `{"item": ${cut(value)}}`;
}

const aliasOf = (item: SelectItem, at: number) => item.alias ?? nameOf(item.value) ?? `$${at + 1}`;
