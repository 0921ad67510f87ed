// GROUP BY and aggregates: which queries the service takes, and the groups of rows.
import { AGGREGATES, accumulator } from './aggregates.ts';
import type { Expression, Query } from './ast.ts';
import type { AggregateUse, Evaluate, Row } from './compile.ts';
import { queryError } from './lexer.ts';
import { canonical } from './values.ts';

/** Refuses what has no one value in a group, and ORDER BY beside GROUP BY, which the service does not serve. */
export function checkGrouping({ select, groupBy, orderBy }: Query): void {
  const [sortKey] = orderBy;
  if (sortKey && groupBy.length > 0) {
    throw queryError('SC2103', 'ORDER BY is not supported together with GROUP BY.', sortKey.value);
  }
  const selected = select.kind === 'list' ? select.items.map(({ value }) => value) : [];
  if (select.kind === 'value') selected.push(select.value);
  if (groupBy.length === 0 && !selected.some(usesAggregate)) return;
  if (select.kind === 'star') throw queryError('SC2104', "'SELECT *' is not valid with GROUP BY.", select);
  const keys = new Set(groupBy.map(shape));
  for (const value of selected) checkGrouped(value, keys);
}

/** Whether an aggregate hides anywhere in the expression; inside a subquery it is that query's own. */
export function usesAggregate(expression: Expression): boolean {
  return (isCall(expression) && AGGREGATES.has(expression.name)) || partsOf(expression).some(usesAggregate);
}

function checkGrouped(expression: Expression, keys: ReadonlySet<string>): void {
  if (keys.has(shape(expression)) || (isCall(expression) && AGGREGATES.has(expression.name))) return;
  if (expression.kind === 'name' || expression.kind === 'member' || expression.kind === 'subquery') {
    throw queryError(
      'SC2102',
      'This is neither in an aggregate nor in the GROUP BY clause, so it has no one value in a group.',
      expression,
    );
  }
  for (const part of partsOf(expression)) checkGrouped(part, keys);
}

const isCall = (expression: Expression) => expression.kind === 'call';

/** The expression without its place in the text. */
const shape = (expression: Expression) =>
  JSON.stringify(expression, (name, value: unknown) => (name === 'start' || name === 'end' ? undefined : value));

/** What an expression is made of, subqueries left out. */
function partsOf(expression: Expression): Expression[] {
  switch (expression.kind) {
    case 'member':
      return [expression.object, expression.property];
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'conditional':
      return [expression.condition, expression.then, expression.otherwise];
    case 'in':
      return [expression.needle, ...expression.haystack];
    case 'between':
      return [expression.operand, expression.low, expression.high];
    case 'like':
      return [expression.operand, expression.pattern, ...(expression.escape ? [expression.escape] : [])];
    case 'call':
      return expression.args;
    case 'array':
      return expression.items;
    case 'object':
      return expression.properties.map(({ value }) => value);
    default:
      return [];
  }
}

/** One row for each group, its aggregates in their slots. */
export function group(rows: Iterable<Row>, keys: Evaluate[], aggregates: AggregateUse[]): Row[] {
  const fresh = () => aggregates.map(({ name }) => accumulator(name));
  const groups = new Map<string, { row: Row; totals: ReturnType<typeof fresh> }>();
  // Without GROUP BY there is one group, even of nothing.
  if (keys.length === 0) groups.set('', { row: [], totals: fresh() });
  for (const row of rows) {
    const key = keys.map((evaluate) => canonical(evaluate(row))).join('\u0000');
    let found = groups.get(key);
    if (!found) {
      found = { row: [...row], totals: fresh() };
      groups.set(key, found);
    }
    for (const [at, { argument }] of aggregates.entries()) found.totals[at]?.add(argument(row));
  }
  return [...groups.values()].map(({ row, totals }) => {
    for (const [at, { slot }] of aggregates.entries()) row[slot] = totals[at]?.result();
    return row;
  });
}
