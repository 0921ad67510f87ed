// Queries: the clauses of SELECT. The grammar follows Microsoft's own for Cosmos SQL
// (https://github.com/Azure/azure-cosmos-dotnet-v3/blob/master/Microsoft.Azure.Cosmos/src/Query/Core/Parser/sql.g4).
import type { Expression, Query, SelectItem, Selection, SortKey, Source, Span } from './ast.ts';
import { Cursor } from './cursor.ts';
import { parseExpression, parsePath } from './expressions.ts';

/** Parses a query, or finds what it parsed it to before: clients send the same texts again, and each one twice. */
export function parseQuery(text: string): Query {
  const known = parsed.get(text);
  if (known) return known;
  const query = parse(text);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, query);
  return query;
}
const parsed = new Map<string, Query>();
const MAX_PARSED = 200;

function parse(text: string): Query {
  const cursor = new Cursor(text, parseSelect);
  const query = parseSelect(cursor);
  cursor.expectEnd();
  return query;
}

/** The condition of a patch: `FROM c WHERE …`. */
export function parseCondition(text: string): Query {
  const cursor = new Cursor(text, parseSelect);
  const start = cursor.peek().start;
  const query = parseTail(cursor, false, undefined, { kind: 'star', start, end: start });
  cursor.expectEnd();
  return query;
}

function parseSelect(cursor: Cursor): Query {
  cursor.expectKeyword('SELECT');
  const isDistinct = cursor.takeKeyword('DISTINCT');
  const top = cursor.takeKeyword('TOP') ? parseCount(cursor) : undefined;
  return parseTail(cursor, isDistinct, top, parseSelection(cursor));
}

function parseTail(cursor: Cursor, isDistinct: boolean, top: Expression | undefined, select: Selection): Query {
  const sources: Source[] = [];
  let fromSpan: Span | undefined;
  if (cursor.isKeyword('FROM')) {
    const { start } = cursor.next();
    sources.push(parseSource(cursor));
    while (cursor.takeKeyword('JOIN')) sources.push(parseSource(cursor));
    fromSpan = { start, end: cursor.lastEnd };
  }
  const where = cursor.takeKeyword('WHERE') ? parseExpression(cursor) : undefined;
  const groupBy: Expression[] = [];
  if (cursor.takeKeyword('GROUP')) {
    cursor.expectKeyword('BY');
    do groupBy.push(parseExpression(cursor));
    while (cursor.takeSymbol(','));
  }
  const orderBy: SortKey[] = [];
  if (cursor.takeKeyword('ORDER')) {
    cursor.expectKeyword('BY');
    do orderBy.push(parseSortKey(cursor));
    while (cursor.takeSymbol(','));
  }
  let offset: Expression | undefined;
  let limit: Expression | undefined;
  if (cursor.takeKeyword('OFFSET')) {
    offset = parseCount(cursor);
    cursor.expectKeyword('LIMIT');
    limit = parseCount(cursor);
  }
  return { isDistinct, top, select, fromSpan, sources, where, groupBy, orderBy, offset, limit };
}

function parseSelection(cursor: Cursor): Selection {
  const { start } = cursor.peek();
  if (cursor.takeSymbol('*')) return { kind: 'star', start, end: cursor.lastEnd };
  if (cursor.takeKeyword('VALUE')) {
    const value = parseExpression(cursor);
    return { kind: 'value', value, start, end: cursor.lastEnd };
  }
  const items: SelectItem[] = [];
  do {
    const value = parseExpression(cursor);
    const alias = cursor.takeKeyword('AS') || cursor.isIdentifier() ? cursor.identifier() : undefined;
    items.push({ value, alias, start: value.start, end: cursor.lastEnd });
  } while (cursor.takeSymbol(','));
  return { kind: 'list', items, start, end: cursor.lastEnd };
}

function parseSource(cursor: Cursor): Source {
  const { start } = cursor.peek();
  if (cursor.peek(1).text.toUpperCase() === 'IN' && cursor.peek(1).kind === 'name') {
    const alias = cursor.identifier();
    cursor.expectKeyword('IN');
    const path = parsePath(cursor);
    return { alias, path, isEach: true, start, end: cursor.lastEnd };
  }
  const path = parsePath(cursor);
  const hasAlias = cursor.takeKeyword('AS') || cursor.isIdentifier();
  const alias = hasAlias ? cursor.identifier() : nameOf(path);
  // Nothing can call a nameless source by its name.
  return { alias: alias ?? `#${start}`, path, isEach: false, start, end: cursor.lastEnd };
}

function parseSortKey(cursor: Cursor): SortKey {
  const value = parseExpression(cursor);
  const isDescending = cursor.takeKeyword('DESC');
  if (!isDescending) cursor.takeKeyword('ASC');
  return { value, isDescending };
}

function parseCount(cursor: Cursor): Expression {
  const token = cursor.next();
  if (token.kind === 'number')
    return { kind: 'literal', value: Number(token.text), start: token.start, end: token.end };
  if (token.kind === 'parameter') return { kind: 'parameter', name: token.text, start: token.start, end: token.end };
  throw cursor.error(token);
}

/** The name under which an expression appears when it has no alias. */
export function nameOf(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.name;
  if (expression.kind !== 'member' || expression.property.kind !== 'literal') return undefined;
  const { value } = expression.property;
  return typeof value === 'string' ? value : undefined;
}
