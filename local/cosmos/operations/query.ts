// Queries over one container: parse, refuse what the service would, narrow in SQLite, evaluate.
import { badRequest, CosmosError } from '../errors.ts';
import { isJsonObject, member } from '../json.ts';
import { type EpkRange, intersection } from '../partition/key.ts';
import type { Query } from '../sql/ast.ts';
import { parametersOf, prepare } from '../sql/execute.ts';
import { hasCompositeIndex, isIndexed } from '../sql/indexing.ts';
import { queryError } from '../sql/lexer.ts';
import { pathOf } from '../sql/facts.ts';
import { narrow } from '../sql/narrow.ts';
import { parseQuery } from '../sql/parser.ts';
import { type Plan, planQuery } from '../sql/plan.ts';
import type { Value } from '../sql/values.ts';
import type { Container } from '../store/catalog.ts';
import type { Store } from '../store/store.ts';
import { accessPath } from './access.ts';
import { copyPage, cutPage, type Page } from './page.ts';
import { forget, recent } from './recent.ts';

interface Question {
  text: string;
  query: Query;
  parameters: Map<string, Value>;
}

export interface PageOptions {
  range: EpkRange | undefined;
  maxItems: number;
  continuation: string | undefined;
}

interface Answer extends Page {
  metrics: Metrics;
}

/** What a query has cost: items read, and milliseconds. */
export interface Metrics {
  retrieved: number;
  compileMs: number;
  totalMs: number;
}

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
export function refuseMerge(plan: Plan, question: Question, container: Container): CosmosError {
  if (plan.isAggregate && !(plan.queryInfo.hasSelectValue && plan.queryInfo.aggregates.length > 0)) {
    return badRequest("Cross partition query only supports 'VALUE <AggregateFunc>' for aggregates.");
  }
  const message = 'The provided cross partition query can not be directly served by the gateway.';
  const additionalErrorInfo = JSON.stringify(planBody(plan, question, container));
  return new CosmosError(400, 'BadRequest', message, 1004, { additionalErrorInfo });
}

export function planBody({ queryInfo }: Plan, { query, parameters }: Question, container: Container) {
  const { min, max } = narrow(query, parameters, container.partitionKey).range ?? { min: '', max: 'FF' };
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo,
    queryRanges: [{ min, max, isMinInclusive: true, isMaxInclusive: false }],
  };
}

export function runQuery(store: Store, container: Container, question: Question, options: PageOptions): Answer {
  const started = performance.now();
  const prepared = prepare(question.query, question.parameters);
  const { conditions, isComplete, range: fixed } = narrow(question.query, question.parameters, container.partitionKey);
  const range = intersection(options.range, fixed);
  const { index, wanted } = accessPath(store.indexes, container, conditions, range);
  const metrics = { retrieved: 0, compileMs: performance.now() - started, totalMs: 0 };
  function* rows(after: number) {
    for (const row of store.items.scan(container, { range, conditions, index, after, now: store.now() })) {
      metrics.retrieved++;
      yield row;
    }
  }
  function copied(): Page | undefined {
    if (!prepared.isIdentity || !isComplete || prepared.top !== undefined) return undefined;
    const where = { range, conditions, index, now: store.now() };
    const scan = (after: number, limit: number) => store.items.scanText(container, { ...where, after }, limit);
    const whole = copyPage(scan, options);
    metrics.retrieved += whole?.count ?? 0;
    return whole;
  }
  const name = JSON.stringify([question.text, [...question.parameters], range?.min, range?.max]);
  const keep = <T>(make: () => T[]) => recent(container, name, make);
  const page = copied() ?? cutPage(prepared, rows, { ...options, keep });
  if (page.continuation === undefined) forget(container, name);
  metrics.totalMs = performance.now() - started;
  if (wanted) store.indexes.missed(container, wanted, metrics.totalMs);
  return { ...page, metrics };
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
  const { indexingPolicy } = container.definition;
  for (const [at, { path }] of keys.entries()) {
    if (isIndexed(indexingPolicy, path)) continue;
    const message = `The order-by item ${path} is excluded from the index; include its path in the indexing policy.`;
    throw queryError('SC2105', message, query.orderBy[at]?.value ?? { start: 0, end: 0 });
  }
  if (keys.length > 1 && !hasCompositeIndex(indexingPolicy, keys)) {
    throw badRequest('The order by query does not have a corresponding composite index that it can be served from.');
  }
}
