// A query, ready to run over documents. Undefined results are no results, as in the service.
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Expression, Query, Source } from './ast.ts';
import { type AggregateUse, compile, type Evaluate, object, type Row, type Scope } from './compile.ts';
import { checkGrouping, group, usesAggregate } from './grouping.ts';
import { queryError } from './lexer.ts';
import { comparePlaces, type Place, sortRows } from './order.ts';
import { nameOf } from './parser.ts';
import { bindSources, joinRows } from './sources.ts';
import { canonical, type Value } from './values.ts';

export interface Numbered {
  item: number;
  document: Value;
  text: string;
}

export interface Ordered extends Place {
  /** What the result is made of. */
  values: Row;
  /** The item as JSON text. */
  text: string;
}

export interface Prepared {
  /** Each document gives its results on its own, in order; nothing has to be gathered first. */
  isStreaming: boolean;
  /** `SELECT *` over plain documents: a result is the document itself. */
  isWhole: boolean;
  /** As `isWhole`, and streaming. */
  isIdentity: boolean;
  top: number | undefined;
  /** The results of one document; for streaming queries only. */
  stream: (document: Value) => Iterable<Value>;
  /** A plain ORDER BY query: the rows of its results with their places, in order and without TOP. */
  order: ((documents: Iterable<Numbered>) => Ordered[]) | undefined;
  /** The result of a row; undefined = none. */
  project: (row: Row) => Value;
  comparePlaces: (left: Place, right: Place) => number;
  /** The results of all documents. */
  collect: (documents: Iterable<Value>) => Value[];
}

export function prepare(query: Query, parameters: ReadonlyMap<string, Value> = new Map()): Prepared {
  const scope: Scope = { names: new Map(), parameters, frame: { size: 0 }, subquery };
  const gathered = gatheredSource(query);
  if (!gathered) return prepareIn(query, scope);
  const inner = prepare(gathered, parameters);
  const outer = prepareIn(overResults(query), scope);
  const collect = (documents: Iterable<Value>) => outer.collect(inner.collect(documents));
  return { ...outer, isStreaming: false, isWhole: false, isIdentity: false, order: undefined, collect };
}

/** `FROM (SELECT DISTINCT …)`: a subquery that needs all documents before it has a result. */
export function gatheredSource({ sources }: Query): Query | undefined {
  const path = sources[0]?.path;
  if (path?.kind !== 'subquery') return undefined;
  const { query } = path;
  const isPlain = !query.isDistinct && !query.top && !query.offset && query.orderBy.length + query.groupBy.length === 0;
  const { select } = query;
  const selected = select.kind === 'list' ? select.items.map(({ value }) => value) : [];
  if (select.kind === 'value') selected.push(select.value);
  return isPlain && !selected.some(usesAggregate) && !gatheredSource(query) ? undefined : query;
}

/** The query over the results of its first source as documents. */
function overResults(query: Query): Query {
  const [first, ...rest] = query.sources;
  if (!first) return query;
  const { alias, start, end } = first;
  const path: Expression = { kind: 'name', name: alias, start, end };
  return { ...query, sources: [{ alias, path, isEach: false, start, end }, ...rest] };
}

/** Whether a document meets the condition of a patch. */
export function matches(condition: Query, document: JsonObject): boolean {
  return prepare(condition).collect([document]).length > 0;
}

const isWholeDocument = (source: Source | undefined) => source?.path.kind === 'name' && !source.isEach;

function subquery(query: Query, scope: Scope): (row: Row) => Value[] {
  const { collectRows } = parts(query, scope);
  return (row) => collectRows([row]);
}

function prepareIn(query: Query, outer: Scope): Prepared {
  const { expand, project, collectRows, isStreaming, isGrouped, sortKeys, top, rootSlot } = parts(query, outer);
  function* rows(documents: Iterable<Value>): Generator<Row> {
    for (const document of documents) {
      const row: Row = [];
      row[rootSlot] = document;
      yield row;
    }
  }
  function order(documents: Iterable<Numbered>): Ordered[] {
    const all: Ordered[] = [];
    for (const { item, document, text } of documents) {
      let at = 0;
      for (const row of expand(rows([document]))) {
        const keys = sortKeys.map(({ evaluate }) => evaluate(row));
        all.push({ keys, item, row: at++, values: [...row], text });
      }
    }
    return all.sort(comparePlaces(sortKeys));
  }
  const isOrdered = sortKeys.length > 0 && !isGrouped && !query.isDistinct && query.offset === undefined;
  const isWhole = query.select.kind === 'star' && isWholeDocument(query.sources[0]);
  return {
    order: isOrdered && query.sources.length > 0 ? order : undefined,
    project,
    comparePlaces: comparePlaces(sortKeys),
    isStreaming,
    isWhole,
    isIdentity: isStreaming && isWhole,
    top,
    *stream(document) {
      for (const row of expand(rows([document]))) {
        const result = project(row);
        if (result !== undefined) yield result;
      }
    },
    // A query without FROM runs once, over nothing.
    collect: (documents) => collectRows(query.sources.length === 0 ? rows([{}]) : rows(documents)),
  };
}

function parts(query: Query, outer: Scope) {
  checkGrouping(query);
  const rootSlot = outer.root ?? outer.frame.size++;
  const { scope, steps } = bindSources(query.sources, { ...outer, root: rootSlot }, rootSlot);
  const where = query.where && compile(query.where, scope);
  const aggregates: AggregateUse[] = [];
  const project = selection(query, { ...scope, aggregates });
  const sortKeys = query.orderBy.map(({ value, isDescending }) => ({
    evaluate: compile(value, { ...scope, aggregates }),
    direction: isDescending ? (-1 as const) : (1 as const),
  }));
  const groupBy = query.groupBy.map((expression) => compile(expression, scope));
  const top = count(query.top, scope);
  const offset = count(query.offset, scope);
  const limit = count(query.limit, scope);
  const isGrouped = groupBy.length > 0 || aggregates.length > 0;

  function* expand(rows: Iterable<Row>): Generator<Row> {
    for (const row of rows) {
      for (const full of joinRows(row, steps)) if (!where || where(full) === true) yield full;
    }
  }

  function collectRows(input: Iterable<Row>): Value[] {
    let rows: Iterable<Row> = expand(input);
    if (isGrouped) rows = group(rows, groupBy, aggregates);
    if (sortKeys.length > 0) rows = sortRows(rows, sortKeys);
    let results: Value[] = [];
    for (const row of rows) {
      const result = project(row);
      if (result !== undefined) results.push(result);
    }
    if (query.isDistinct) results = [...new Map(results.map((result) => [canonical(result), result])).values()];
    if (top !== undefined) results = results.slice(0, top);
    if (offset !== undefined) results = results.slice(offset, offset + (limit ?? 0));
    return results;
  }

  const isStreaming =
    !isGrouped && sortKeys.length === 0 && !query.isDistinct && offset === undefined && query.sources.length > 0;
  return { expand, project, collectRows, isStreaming, isGrouped, sortKeys, top, rootSlot };
}

function selection(query: Query, scope: Scope): Evaluate {
  const { select, sources } = query;
  if (select.kind === 'value') return compile(select.value, scope);
  if (select.kind === 'star') {
    const [source] = sources;
    if (!source || sources.length > 1) {
      throw queryError('SC2040', "'SELECT *' is only valid with a single input set.", select);
    }
    const slot = scope.names.get(source.alias) ?? 0;
    return (row) => row[slot];
  }
  let unnamed = 0;
  const names = new Set<string>();
  return object(
    select.items.map((item) => {
      const name = item.alias ?? nameOf(item.value) ?? `$${++unnamed}`;
      if (names.has(name)) throw queryError('SC2011', `The property name '${name}' is specified more than once.`, item);
      names.add(name);
      return [name, compile(item.value, scope)];
    }),
  );
}

/** TOP, OFFSET and LIMIT: a whole number that is not negative. */
export function count(expression: Expression | undefined, scope: Pick<Scope, 'parameters'>): number | undefined {
  if (!expression) return undefined;
  const value = expression.kind === 'parameter' ? scope.parameters.get(expression.name) : literalOf(expression);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw queryError('SC2062', 'TOP, OFFSET and LIMIT need a whole number that is not negative.', expression);
  }
  return value;
}

const literalOf = (expression: Expression) => (expression.kind === 'literal' ? expression.value : undefined);

/** The parameters of a request body as a map. */
export function parametersOf(list: unknown): Map<string, Value> {
  const entries = (Array.isArray(list) ? list : []).filter(isJsonObject);
  return new Map(entries.map(({ name, value }) => [String(name), value]));
}
