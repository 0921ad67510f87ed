// Queries over one container: parse, narrow in SQLite, evaluate, cut into pages.
import { badRequest, CosmosError } from '../errors.ts';
import { isJsonObject, member } from '../json.ts';
import type { EpkRange } from '../partition/key.ts';
import type { Query } from '../sql/ast.ts';
import { parametersOf, type Prepared, prepare } from '../sql/execute.ts';
import { queryError } from '../sql/lexer.ts';
import { hasCompositeIndex, narrow, pathOf } from '../sql/narrow.ts';
import { parseQuery } from '../sql/parser.ts';
import { type Plan, planQuery } from '../sql/plan.ts';
import type { Value } from '../sql/values.ts';
import type { Container } from '../store/catalog.ts';
import type { ItemRow } from '../store/items.ts';
import type { Store } from '../store/store.ts';

export interface Question {
  text: string;
  query: Query;
  parameters: Map<string, Value>;
}

export interface PageOptions {
  range: EpkRange | undefined;
  maxItems: number;
  continuation: string | undefined;
}

export interface Page {
  /** Results as JSON text. */
  results: string[];
  continuation: string | undefined;
}

/** Where the next page starts: after an item (and so many of its results), or after so many results. */
interface Position {
  item: number;
  results: number;
  top: number | undefined;
}

const MAX_PAGE_BYTES = 4 * 1024 * 1024;

export function parseQuestion(body: unknown, container: Container): Question {
  const text = member(body, 'query');
  if (typeof text !== 'string') throw badRequest('A query needs its text in `query`.');
  const query = parseQuery(text);
  checkOrder(query, container);
  return { text, query, parameters: parametersOf(isJsonObject(body) ? body.parameters : undefined) };
}

export function planOf({ text, query, parameters }: Question): Plan {
  // Compiling finds unknown names and functions, which the plan's text slices would not.
  prepare(query, parameters);
  return planQuery(text, query, parameters);
}

/** The gateway's answer to a query that needs merging: the client then asks range by range. */
export function refuseMerge(plan: Plan): CosmosError {
  if (plan.isAggregate && !(plan.queryInfo.hasSelectValue && plan.queryInfo.aggregates.length > 0)) {
    return badRequest("Cross partition query only supports 'VALUE <AggregateFunc>' for aggregates.");
  }
  const message = 'The provided cross partition query can not be directly served by the gateway.';
  return new CosmosError(400, 'BadRequest', message, 1004, { additionalErrorInfo: JSON.stringify(planBody(plan)) });
}

export function planBody({ queryInfo }: Plan) {
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo,
    queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
  };
}

export function runQuery(store: Store, container: Container, question: Question, options: PageOptions): Page {
  const prepared = prepare(question.query, question.parameters);
  const { conditions, range } = narrow(question.query, question.parameters, container.partitionKey);
  const from = parsePosition(options.continuation);
  const rows = (after: number) =>
    store.items.scan(container, {
      range: intersection(options.range, range),
      conditions,
      after,
      now: store.now(),
    });
  return prepared.isStreaming
    ? streamPage(prepared, rows(from.item), from, options.maxItems)
    : collectPage(prepared, rows(0), from, options.maxItems);
}

function streamPage(prepared: Prepared, rows: Iterable<ItemRow>, from: Position, maxItems: number): Page {
  const results: string[] = [];
  let left = from.top ?? prepared.top;
  let bytes = 0;
  // A page may have ended in the middle of an item's results; that item comes again.
  let skip = from.results;
  for (const row of rows) {
    let at = 0;
    for (const value of prepared.stream(JSON.parse(row.body))) {
      if (at++ < skip) continue;
      if (left === 0) return { results, continuation: undefined };
      if (results.length >= maxItems || bytes >= MAX_PAGE_BYTES) {
        return { results, continuation: formatPosition({ item: row.number - 1, results: at - 1, top: left }) };
      }
      const text = prepared.isIdentity ? row.body : JSON.stringify(value);
      results.push(text);
      bytes += text.length;
      if (left !== undefined) left--;
    }
    skip = 0;
  }
  return { results, continuation: undefined };
}

function collectPage(prepared: Prepared, rows: Iterable<ItemRow>, from: Position, maxItems: number): Page {
  function* documents(): Generator<Value> {
    for (const row of rows) yield JSON.parse(row.body);
  }
  const all = prepared.collect(documents());
  const results: string[] = [];
  let bytes = 0;
  let at = from.results;
  for (; at < all.length && results.length < maxItems && bytes < MAX_PAGE_BYTES; at++) {
    const text = JSON.stringify(all[at]);
    results.push(text);
    bytes += text.length;
  }
  const isMore = at < all.length;
  return { results, continuation: isMore ? formatPosition({ item: 0, results: at, top: undefined }) : undefined };
}

function intersection(left: EpkRange | undefined, right: EpkRange | undefined): EpkRange | undefined {
  if (!left || !right) return left ?? right;
  // Hexadecimal text: sorted as text.
  const [, min = ''] = [left.min, right.min].sort();
  const [max = ''] = [left.max, right.max].sort();
  return { min, max };
}

/** As in the service: sort keys are property paths, and several of them need a composite index. */
function checkOrder(query: Query, container: Container): void {
  const root = query.sources[0]?.alias ?? '';
  if (query.groupBy.length > 0) return;
  const keys = query.orderBy.map(({ value, isDescending }) => {
    const path = pathOf(value, root);
    if (!path) {
      throw queryError(
        'SC2104',
        'Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document path.',
        value,
      );
    }
    return { path: `/${path.join('/')}`, isDescending };
  });
  if (keys.length > 1 && !hasCompositeIndex(container.definition.indexingPolicy, keys)) {
    throw badRequest('The order by query does not have a corresponding composite index that it can be served from.');
  }
}

function parsePosition(text: string | undefined): Position {
  if (text === undefined) return { item: 0, results: 0, top: undefined };
  try {
    const [item, results, top]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof item === 'number' && typeof results === 'number') {
      return { item, results, top: typeof top === 'number' ? top : undefined };
    }
  } catch {
    // Not ours: the same refusal as for a list of another shape.
  }
  throw badRequest('The continuation token is not one that this server has given.');
}

const formatPosition = ({ item, results, top }: Position) =>
  Buffer.from(JSON.stringify([item, results, top ?? null])).toString('base64url');
