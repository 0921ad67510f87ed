// Expressions as closures over a row. A row is an array: one slot for each name bound by FROM and JOIN, and one for
// each aggregate of the query that is being evaluated.
import { AGGREGATES } from './aggregates.ts';
import type { BinaryOperator, Expression, Query } from './ast.ts';
import { builtIn } from './functions/index.ts';
import { queryError } from './lexer.ts';
import { likePattern } from './like.ts';
import { and, compare, deepEqual, finite, index, isEqual, not, or, type Value } from './values.ts';

export type Row = Value[];
export type Evaluate = (row: Row) => Value;

export interface AggregateUse {
  name: string;
  argument: Evaluate;
  slot: number;
}

export interface Scope {
  names: ReadonlyMap<string, number>;
  /** The slot of the document, which a FROM inside a subquery finds again. */
  root?: number;
  parameters: ReadonlyMap<string, Value>;
  /** Slots of the whole query, subqueries included. */
  frame: { size: number };
  /** Where aggregates may stand; absent where they may not. */
  aggregates?: AggregateUse[];
  /** Runs a subquery over the names bound so far. */
  subquery: (query: Query, scope: Scope) => (row: Row) => Value[];
}

export function compile(expression: Expression, scope: Scope): Evaluate {
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression;
      return () => value;
    }
    case 'parameter':
      return parameter(expression, scope);
    case 'name': {
      const slot = scope.names.get(expression.name);
      if (slot === undefined) {
        throw queryError('SC2001', `Identifier '${expression.name}' could not be resolved.`, expression);
      }
      return (row) => row[slot];
    }
    case 'member': {
      const object = compile(expression.object, scope);
      const property = compile(expression.property, scope);
      return (row) => index(object(row), property(row));
    }
    case 'unary':
      return unary(expression.operator, compile(expression.operand, scope));
    case 'binary': {
      const left = compile(expression.left, scope);
      const right = compile(expression.right, scope);
      const apply = BINARY[expression.operator];
      return (row) => apply(left(row), right(row));
    }
    case 'conditional': {
      const condition = compile(expression.condition, scope);
      const then = compile(expression.then, scope);
      const otherwise = compile(expression.otherwise, scope);
      return (row) => (condition(row) === true ? then(row) : otherwise(row));
    }
    case 'in': {
      const needle = compile(expression.needle, scope);
      const haystack = expression.haystack.map((item) => compile(item, scope));
      const { isNegated } = expression;
      return (row) => {
        const value = needle(row);
        if (value === undefined) return undefined;
        return haystack.some((item) => deepEqual(item(row), value)) !== isNegated;
      };
    }
    case 'between': {
      const operand = compile(expression.operand, scope);
      const low = compile(expression.low, scope);
      const high = compile(expression.high, scope);
      const { isNegated } = expression;
      return (row) => {
        const value = operand(row);
        const isInside = and(BINARY['>='](value, low(row)), BINARY['<='](value, high(row)));
        return isNegated ? not(isInside) : isInside;
      };
    }
    case 'like':
      return like(expression, scope);
    case 'call':
      return call(expression, scope);
    case 'array': {
      const items = expression.items.map((item) => compile(item, scope));
      return (row) => items.map((item) => item(row)).filter((value) => value !== undefined);
    }
    case 'object':
      return object(expression.properties.map(({ name, value }): [string, Evaluate] => [name, compile(value, scope)]));
    case 'subquery': {
      const { form } = expression;
      const { aggregates: _, ...inner } = scope;
      const run = scope.subquery(expression.query, inner);
      if (form === 'exists') return (row) => run(row).length > 0;
      return form === 'array' ? run : (row) => run(row)[0];
    }
  }
}

/** An object of the properties that are defined. */
export function object(properties: [string, Evaluate][]): Evaluate {
  return (row) => {
    const entries = properties.map(([name, value]): [string, Value] => [name, value(row)]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  };
}

const number = (apply: (left: number, right: number) => number) => (left: Value, right: Value) =>
  typeof left === 'number' && typeof right === 'number' ? finite(apply(left, right)) : undefined;

const comparing = (holds: (sign: number) => boolean) => (left: Value, right: Value) => {
  const sign = compare(left, right);
  return sign === undefined ? undefined : holds(sign);
};

const BINARY: Record<BinaryOperator, (left: Value, right: Value) => Value> = {
  AND: and,
  OR: or,
  '=': isEqual,
  '!=': (left, right) => not(isEqual(left, right)),
  '<': comparing((sign) => sign < 0),
  '<=': comparing((sign) => sign <= 0),
  '>': comparing((sign) => sign > 0),
  '>=': comparing((sign) => sign >= 0),
  '+': number((left, right) => left + right),
  '-': number((left, right) => left - right),
  '*': number((left, right) => left * right),
  '/': number((left, right) => left / right),
  '%': number((left, right) => left % right),
  '&': number((left, right) => left & right),
  '|': number((left, right) => left | right),
  '^': number((left, right) => left ^ right),
  '<<': number((left, right) => left << right),
  '>>': number((left, right) => left >> right),
  '>>>': number((left, right) => left >>> right),
  '||': (left, right) => (typeof left === 'string' && typeof right === 'string' ? left + right : undefined),
  '??': (left, right) => (left === undefined ? right : left),
};

function unary(operator: 'NOT' | '-' | '+' | '~', operand: Evaluate): Evaluate {
  if (operator === 'NOT') return (row) => not(operand(row));
  const apply = { '-': (x: number) => -x, '+': (x: number) => x, '~': (x: number) => ~x }[operator];
  return (row) => {
    const value = operand(row);
    return typeof value === 'number' ? apply(value) : undefined;
  };
}

function parameter(expression: Extract<Expression, { kind: 'parameter' }>, scope: Scope): Evaluate {
  if (!scope.parameters.has(expression.name)) {
    throw queryError('SC2010', `Parameter '${expression.name}' has no value in the request.`, expression);
  }
  const value = scope.parameters.get(expression.name);
  return () => value;
}

function like(expression: Extract<Expression, { kind: 'like' }>, scope: Scope): Evaluate {
  const operand = compile(expression.operand, scope);
  const pattern = compile(expression.pattern, scope);
  const escaping = expression.escape ? compile(expression.escape, scope) : () => undefined;
  return (row) => {
    const value = operand(row);
    const text = pattern(row);
    const mark = escaping(row);
    if (typeof value !== 'string' || typeof text !== 'string') return undefined;
    return likePattern(text, typeof mark === 'string' ? mark : undefined).test(value) !== expression.isNegated;
  };
}

function call(expression: Extract<Expression, { kind: 'call' }>, scope: Scope): Evaluate {
  const { name, args } = expression;
  if (AGGREGATES.has(name)) return aggregate(expression, scope);
  const found = builtIn(name);
  if (!found) throw queryError('SC2005', `'${name}' is not a recognized built-in function name.`, expression);
  if (args.length < found.min || args.length > found.max) {
    const wanted = found.min === found.max ? `${found.min}` : `${found.min} to ${found.max}`;
    throw queryError('SC2050', `The ${name} function requires ${wanted} argument(s).`, expression);
  }
  const values = args.map((arg) => compile(arg, scope));
  return (row) => found.apply(values.map((value) => value(row)));
}

function aggregate(expression: Extract<Expression, { kind: 'call' }>, scope: Scope): Evaluate {
  const { name, args } = expression;
  const [arg] = args;
  if (!scope.aggregates) throw queryError('SC2203', `The aggregate ${name} is not allowed here.`, expression);
  if (!arg || args.length > 1) throw queryError('SC2050', `The ${name} function requires 1 argument(s).`, expression);
  const slot = scope.frame.size++;
  const { aggregates, ...inner } = scope;
  aggregates.push({ name, argument: compile(arg, inner), slot });
  return (row) => row[slot];
}
