// What SQLite can decide before a document is parsed. Only conjuncts of the form `path operator constant` are used, and
// each condition lets through at least what the query wants: the evaluator decides in the end.
import type { KeyPart } from '../partition/hash.ts';
import { type EpkRange, makeKey, type PartitionKeyDefinition, pathNames, rangeOfKey } from '../partition/key.ts';
import type { Condition } from '../store/items.ts';
import type { Expression, Query } from './ast.ts';
import { typeName, type Value } from './values.ts';

interface Narrowing {
  conditions: Condition[];
  /** Where the partition key (or its leading levels) is fixed by the query. */
  range: EpkRange | undefined;
}

type Operator = '=' | '<=' | '>=';
interface Fact {
  path: string[];
  operator: Operator;
  value: Value;
}

const FLIPPED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' };
const LOOSE: Record<string, Operator> = { '=': '=', '<': '<=', '<=': '<=', '>': '>=', '>=': '>=' };

export function narrow(
  query: Query,
  parameters: ReadonlyMap<string, Value>,
  definition: PartitionKeyDefinition,
): Narrowing {
  const [root] = query.sources;
  if (!root || root.isEach || root.path.kind !== 'name' || !query.where) return { conditions: [], range: undefined };
  const facts = conjuncts(query.where).flatMap((part) => factsOf(part, root.alias, parameters));
  return { conditions: facts.flatMap(toCondition), range: rangeOf(facts, definition) };
}

function conjuncts(expression: Expression): Expression[] {
  return expression.kind === 'binary' && expression.operator === 'AND'
    ? [...conjuncts(expression.left), ...conjuncts(expression.right)]
    : [expression];
}

function factsOf(part: Expression, root: string, parameters: ReadonlyMap<string, Value>): Fact[] {
  if (part.kind === 'between' && !part.isNegated) {
    const path = pathOf(part.operand, root);
    const low = constant(part.low, parameters);
    const high = constant(part.high, parameters);
    if (!path || !low || !high) return [];
    return [
      { path, operator: '>=', value: low.value },
      { path, operator: '<=', value: high.value },
    ];
  }
  if (part.kind !== 'binary') return [];
  const left = pathOf(part.left, root);
  const path = left ?? pathOf(part.right, root);
  const found = constant(left ? part.right : part.left, parameters);
  const operator = LOOSE[left ? part.operator : (FLIPPED[part.operator] ?? '')];
  return path && found && operator ? [{ path, operator, value: found.value }] : [];
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

function constant(expression: Expression, parameters: ReadonlyMap<string, Value>): { value: Value } | undefined {
  if (expression.kind === 'literal') return { value: expression.value };
  return expression.kind === 'parameter' ? { value: parameters.get(expression.name) } : undefined;
}

function toCondition({ path, operator, value }: Fact): Condition[] {
  if (!path.every((name) => /^[A-Za-z_]\w*$/.test(name))) return [];
  const column = path.length === 1 && path[0] === 'id' ? 'id' : `json_extract(body, '$.${path.join('.')}')`;
  if (typeof value === 'string') {
    // SQLite orders text by bytes and JavaScript by UTF-16 units, so only equality is handed down.
    const isPlain = operator === '=' && value.isWellFormed() && !value.includes('\u0000');
    return isPlain ? [{ sql: `${column} = ?`, values: [value], column }] : [];
  }
  // Fractions may be rounded differently by the two parsers; whole numbers are not.
  if (Number.isSafeInteger(value)) {
    return [{ sql: `${column} ${operator} ?`, values: [Number(value)], ...(operator === '=' && { column }) }];
  }
  if (typeof value === 'boolean' && operator === '=')
    return [{ sql: `${column} = ?`, values: [Number(value)], column }];
  return [];
}

function rangeOf(facts: Fact[], definition: PartitionKeyDefinition): EpkRange | undefined {
  const parts: KeyPart[] = [];
  for (const path of definition.paths) {
    const names = JSON.stringify(pathNames(path));
    const fact = facts.find(({ operator, ...other }) => operator === '=' && JSON.stringify(other.path) === names);
    if (!fact || !isKeyPart(fact.value)) break;
    parts.push(fact.value);
  }
  return parts.length === 0 ? undefined : rangeOfKey(makeKey(definition, parts));
}

const isKeyPart = (value: Value): value is string | number | boolean | null =>
  ['string', 'number', 'boolean', 'null'].includes(typeName(value));
