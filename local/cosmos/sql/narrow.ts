// What SQLite can decide before a document is parsed. Each condition lets through at least what the query wants: the
// evaluator decides in the end.
import { type EpkRange, makeKey, type PartitionKeyDefinition, pathNames, rangeOfKey } from '../partition/key.ts';
import type { KeyPart } from '../partition/hash.ts';
import type { Condition } from '../store/items.ts';
import type { Expression, Query } from './ast.ts';
import { type Fact, factsOf } from './facts.ts';
import { typeName, type Value } from './values.ts';

interface Narrowing {
  conditions: Condition[];
  /** Whether the conditions say all that the query asks. */
  isComplete: boolean;
  /** Where the partition key (or its leading levels) is fixed by the query. */
  range: EpkRange | undefined;
}

type Parameters = ReadonlyMap<string, Value>;

const MAX_LIST = 500;
const FIRST_SURROGATE = 0xd800;

export function narrow(query: Query, parameters: Parameters, definition: PartitionKeyDefinition): Narrowing {
  const [root] = query.sources;
  const isPlain = root && !root.isEach && root.path.kind === 'name';
  if (!isPlain || !query.where) return { conditions: [], isComplete: !query.where, range: undefined };
  const parts = conjuncts(query.where);
  const facts = parts.flatMap((part) => factsOf(part, root.alias, parameters));
  const told = facts.flatMap(toConditions);
  const alternatives = parts.flatMap((part) => either(part, root.alias, parameters) ?? []);
  const isComplete = told.length === parts.length && told.every(({ isExact }) => isExact);
  return { conditions: [...told, ...alternatives], isComplete, range: rangeOf(facts, definition) };
}

function conjuncts(expression: Expression): Expression[] {
  return expression.kind === 'binary' && expression.operator === 'AND'
    ? [...conjuncts(expression.left), ...conjuncts(expression.right)]
    : [expression];
}

/** `a OR b` where both sides say something. */
function either(part: Expression, root: string, parameters: Parameters): Condition | undefined {
  if (part.kind !== 'binary' || part.operator !== 'OR') return undefined;
  const [left, right] = [part.left, part.right].map((side) => all(side, root, parameters));
  if (!left || !right) return undefined;
  return { sql: `(${left.sql} OR ${right.sql})`, values: [...left.values, ...right.values] };
}

function all(expression: Expression, root: string, parameters: Parameters): Condition | undefined {
  const conditions = conjuncts(expression).flatMap((part) => {
    const alternative = either(part, root, parameters);
    return alternative ? [alternative] : factsOf(part, root, parameters).flatMap(toConditions);
  });
  if (conditions.length === 0) return undefined;
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(' AND ')})`,
    values: conditions.flatMap(({ values }) => values),
  };
}

function toConditions(fact: Fact): Condition[] {
  const column = columnOf(fact.path);
  if (column === undefined) return [];
  switch (fact.kind) {
    case 'compare':
      return fact.operator === '=' ? equal(column, fact.value) : bounded(column, fact.operator, fact.value);
    case 'in': {
      const values = fact.values.map(bindable);
      if (values.length > MAX_LIST || !values.every((value) => value !== undefined)) return [];
      // An index cannot be read by nothing.
      if (values.length === 0) return [{ sql: 'false', values }];
      const marks = values.map(() => '?').join(', ');
      const isExact = fact.values.every(isUnmistakable);
      return [{ sql: `${column} IN (${marks})`, values, column, isEquality: true, isExact }];
    }
    case 'prefix':
      return prefixed(column, fact.prefix);
  }
}

function equal(column: string, value: Value): Condition[] {
  const bound = bindable(value);
  if (bound !== undefined) {
    return [{ sql: `${column} = ?`, values: [bound], column, isEquality: true, isExact: isUnmistakable(value) }];
  }
  if (typeof value !== 'number') return [];
  return [...bounded(column, '>=', value), ...bounded(column, '<=', value)];
}

function bounded(column: string, operator: '<=' | '>=', value: Value): Condition[] {
  if (typeof value === 'string' && isPlain(value)) {
    return [{ sql: `${column} ${operator} ?`, values: [value], column, isEquality: false }];
  }
  // Fractions may be rounded differently by the two parsers; whole numbers are not.
  const bound = typeof value === 'number' ? (operator === '>=' ? Math.floor(value) : Math.ceil(value)) : undefined;
  if (bound === undefined || !Number.isSafeInteger(bound)) return [];
  return [{ sql: `${column} ${operator} ?`, values: [bound], column, isEquality: false }];
}

function prefixed(column: string, prefix: string): Condition[] {
  if (prefix === '' || !isPlain(prefix)) return [];
  const next = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return [
    { sql: `${column} >= ?`, values: [prefix], column, isEquality: false },
    { sql: `${column} < ?`, values: [next], column, isEquality: false },
  ];
}

/** SQLite orders text by bytes and JavaScript by UTF-16 units; they agree where one side has only such characters. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // The one before the first surrogate has no successor that is a character.
    if (code === 0 || code >= FIRST_SURROGATE - 1) return false;
  }
  return true;
}

/** What SQLite finds equal whenever Cosmos SQL does. */
function bindable(value: Value): string | number | undefined {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000') ? value : undefined;
  if (typeof value === 'boolean') return Number(value);
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

/** In SQLite `true` is 1, and an object or a list is its text: what equals none of these equals only itself. */
function isUnmistakable(value: Value): boolean {
  return typeof value === 'string' ? !/^[{[]/.test(value) : typeof value === 'number' && value !== 0 && value !== 1;
}

function columnOf(path: string[]): string | undefined {
  if (path.length === 1 && path[0] === 'id') return 'id';
  if (!path.every((name) => /^[^"'\\\p{Cc}]+$/u.test(name))) return undefined;
  const steps = path.map((name) => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name}"`));
  return `json_extract(body, '$.${steps.join('.')}')`;
}

function rangeOf(facts: Fact[], definition: PartitionKeyDefinition): EpkRange | undefined {
  const parts: KeyPart[] = [];
  for (const path of definition.paths) {
    const names = JSON.stringify(pathNames(path));
    const fact = facts.find(
      (each) => each.kind === 'compare' && each.operator === '=' && JSON.stringify(each.path) === names,
    );
    if (fact?.kind !== 'compare' || !isKeyPart(fact.value)) break;
    parts.push(fact.value);
  }
  return parts.length === 0 ? undefined : rangeOfKey(makeKey(definition, parts));
}

const isKeyPart = (value: Value): value is string | number | boolean | null =>
  ['string', 'number', 'boolean', 'null'].includes(typeName(value));
