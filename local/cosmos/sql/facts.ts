// What a condition says of single properties: `path operator constant`, in all the ways that people write it.
import type { Expression } from './ast.ts';
import type { Value } from './values.ts';

/** Holds of every document that the condition holds of; the reverse need not be. */
export type Fact = { path: string[] } & (
  | { kind: 'compare'; operator: '=' | '<=' | '>='; value: Value }
  | { kind: 'in'; values: Value[] }
  | { kind: 'prefix'; prefix: string }
);

type Parameters = ReadonlyMap<string, Value>;

const FLIPPED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' };
const LOOSE: Record<string, '=' | '<=' | '>='> = { '=': '=', '<': '<=', '<=': '<=', '>': '>=', '>=': '>=' };

/** The facts of one conjunct; none if it says nothing of this kind. */
export function factsOf(part: Expression, root: string, parameters: Parameters): Fact[] {
  switch (part.kind) {
    case 'between':
      return part.isNegated ? [] : between(part, root, parameters);
    case 'in': {
      const path = pathOf(part.needle, root);
      const constants = part.haystack.map((item) => constant(item, parameters));
      if (!path || part.isNegated || !constants.every((item) => item !== undefined)) return [];
      return [{ kind: 'in', path, values: constants.map(({ value }) => value) }];
    }
    case 'like': {
      const path = pathOf(part.operand, root);
      const pattern = constant(part.pattern, parameters)?.value;
      if (!path || part.isNegated || part.escape || typeof pattern !== 'string') return [];
      return [{ kind: 'prefix', path, prefix: /^[^%_[]*/.exec(pattern)?.[0] ?? '' }];
    }
    case 'call':
      return call(part.name, part.args, root, parameters);
    case 'binary':
      return compared(part, root, parameters);
    default:
      return [];
  }
}

function between(
  { operand, low, high }: Extract<Expression, { kind: 'between' }>,
  root: string,
  parameters: Parameters,
): Fact[] {
  const path = pathOf(operand, root);
  const [least, most] = [constant(low, parameters), constant(high, parameters)];
  if (!path || !least || !most) return [];
  return [
    { kind: 'compare', path, operator: '>=', value: least.value },
    { kind: 'compare', path, operator: '<=', value: most.value },
  ];
}

function call(name: string, args: Expression[], root: string, parameters: Parameters): Fact[] {
  const [first, second] = args;
  if (!first || !second || args.length !== 2) return [];
  if (name === 'STARTSWITH') {
    const path = pathOf(first, root);
    const prefix = constant(second, parameters)?.value;
    return path && typeof prefix === 'string' ? [{ kind: 'prefix', path, prefix }] : [];
  }
  if (name !== 'ARRAY_CONTAINS') return [];
  const path = pathOf(second, root);
  const values = constant(first, parameters)?.value;
  return path && Array.isArray(values) ? [{ kind: 'in', path, values }] : [];
}

function compared(
  { left, operator, right }: Extract<Expression, { kind: 'binary' }>,
  root: string,
  parameters: Parameters,
): Fact[] {
  const leftPath = pathOf(left, root);
  const path = leftPath ?? pathOf(right, root);
  const found = constant(leftPath ? right : left, parameters);
  const loose = LOOSE[leftPath ? operator : (FLIPPED[operator] ?? '')];
  return path && found && loose ? [{ kind: 'compare', path, operator: loose, value: found.value }] : [];
}

/** The names from the root to a property, if that is what the expression is. */
export function pathOf(expression: Expression, root: string): string[] | undefined {
  const names: string[] = [];
  let at = expression;
  while (at.kind === 'member' && at.property.kind === 'literal' && typeof at.property.value === 'string') {
    names.unshift(at.property.value);
    at = at.object;
  }
  return at.kind === 'name' && at.name === root && names.length > 0 ? names : undefined;
}

/** The value of an expression that is the same for every document, as far as that is plain to see. */
function constant(expression: Expression, parameters: Parameters): { value: Value } | undefined {
  if (expression.kind === 'literal') return { value: expression.value };
  if (expression.kind === 'parameter') return { value: parameters.get(expression.name) };
  if (expression.kind === 'unary' && expression.operator === '-') {
    const value = constant(expression.operand, parameters)?.value;
    return typeof value === 'number' ? { value: -value } : undefined;
  }
  if (expression.kind !== 'array') return undefined;
  const items = expression.items.map((item) => constant(item, parameters));
  return items.every((item) => item !== undefined) ? { value: items.map(({ value }) => value) } : undefined;
}
