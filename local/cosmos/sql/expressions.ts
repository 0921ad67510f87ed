// Expressions, by precedence climbing. As in Microsoft's grammar NOT is an ordinary unary operator that binds tightly:
// `NOT c.a = 1` is `(NOT c.a) = 1`.
import type { BinaryOperator, Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { queryError, type Token, unquote } from './lexer.ts';

// Weakest first; the last entries bind tightest.
const BINARY: BinaryOperator[][] = [
  ['||'],
  ['|'],
  ['^'],
  ['&'],
  ['=', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>', '>>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const UNARY = { '-': '-', '+': '+', '~': '~' } as const;
const CONSTANTS = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);

export function parseExpression(cursor: Cursor): Expression {
  const condition = parseCoalesce(cursor);
  if (!cursor.takeSymbol('?')) return condition;
  const then = parseExpression(cursor);
  cursor.expectSymbol(':');
  const otherwise = parseExpression(cursor);
  return { kind: 'conditional', condition, then, otherwise, start: condition.start, end: otherwise.end };
}

function parseCoalesce(cursor: Cursor): Expression {
  const left = parseOr(cursor);
  return cursor.takeSymbol('??') ? binary('??', left, parseCoalesce(cursor)) : left;
}

function parseOr(cursor: Cursor): Expression {
  let left = parseAnd(cursor);
  while (cursor.takeKeyword('OR')) left = binary('OR', left, parseAnd(cursor));
  return left;
}

function parseAnd(cursor: Cursor): Expression {
  let left = parsePredicate(cursor);
  while (cursor.takeKeyword('AND')) left = binary('AND', left, parsePredicate(cursor));
  return left;
}

function parsePredicate(cursor: Cursor): Expression {
  const operand = parseBinary(cursor, 0);
  const isNegated = cursor.isKeyword('NOT');
  const keyword = cursor.peek(isNegated ? 1 : 0).text.toUpperCase();
  if (!['IN', 'BETWEEN', 'LIKE'].includes(keyword)) return operand;
  if (isNegated) cursor.next();
  cursor.next();
  const { start } = operand;
  if (keyword === 'IN') {
    cursor.expectSymbol('(');
    const haystack = parseList(cursor, ')');
    return { kind: 'in', needle: operand, haystack, isNegated, start, end: cursor.lastEnd };
  }
  if (keyword === 'BETWEEN') {
    const low = parseBinary(cursor, 0);
    cursor.expectKeyword('AND');
    const high = parseBinary(cursor, 0);
    return { kind: 'between', operand, low, high, isNegated, start, end: high.end };
  }
  const pattern = parseBinary(cursor, 0);
  const escaping = cursor.takeKeyword('ESCAPE') ? parsePrimary(cursor) : undefined;
  return { kind: 'like', operand, pattern, escape: escaping, isNegated, start, end: cursor.lastEnd };
}

function parseBinary(cursor: Cursor, level: number): Expression {
  const operators = BINARY[level];
  if (!operators) return parseUnary(cursor);
  let left = parseBinary(cursor, level + 1);
  for (;;) {
    const token = cursor.peek();
    const text = token.text === '<>' ? '!=' : token.text;
    const operator = token.kind === 'symbol' ? operators.find((candidate) => candidate === text) : undefined;
    if (!operator) return left;
    cursor.next();
    left = binary(operator, left, parseBinary(cursor, level + 1));
  }
}

function parseUnary(cursor: Cursor): Expression {
  const { start, kind, text } = cursor.peek();
  if (cursor.takeKeyword('NOT')) {
    const operand = parseUnary(cursor);
    return { kind: 'unary', operator: 'NOT', operand, start, end: operand.end };
  }
  if (kind === 'symbol' && (text === '-' || text === '+' || text === '~')) {
    cursor.next();
    const operand = parseUnary(cursor);
    return { kind: 'unary', operator: UNARY[text], operand, start, end: operand.end };
  }
  return parsePostfix(cursor, parsePrimary(cursor));
}

/** What may stand in FROM: a name with members, or a subquery in parentheses. */
export function parsePath(cursor: Cursor): Expression {
  const { start } = cursor.peek();
  if (cursor.takeSymbol('(')) return parseSubquery(cursor, 'array', start);
  const name = cursor.identifier();
  return parsePostfix(cursor, { kind: 'name', name, start, end: cursor.lastEnd });
}

function parsePostfix(cursor: Cursor, first: Expression): Expression {
  let object = first;
  for (;;) {
    const { start } = cursor.peek();
    if (cursor.takeSymbol('.')) {
      const name = cursor.identifier();
      const property: Expression = { kind: 'literal', value: name, start: start + 1, end: cursor.lastEnd };
      object = { kind: 'member', object, property, start: object.start, end: cursor.lastEnd };
    } else if (cursor.takeSymbol('[')) {
      const property = parseExpression(cursor);
      cursor.expectSymbol(']');
      object = { kind: 'member', object, property, start: object.start, end: cursor.lastEnd };
    } else {
      return object;
    }
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  const { start } = token;
  if (token.kind === 'name') return parseNamed(cursor, token);
  cursor.next();
  const { end } = token;
  if (token.kind === 'number') return { kind: 'literal', value: Number(token.text), start, end };
  if (token.kind === 'string') return { kind: 'literal', value: unquote(token.text), start, end };
  if (token.kind === 'parameter') return { kind: 'parameter', name: token.text, start, end };
  if (token.text === '(') {
    if (cursor.isKeyword('SELECT')) return parseSubquery(cursor, 'scalar', start);
    const inner = parseExpression(cursor);
    cursor.expectSymbol(')');
    return { ...inner, start, end: cursor.lastEnd };
  }
  if (token.text === '[') {
    const items = parseList(cursor, ']');
    return { kind: 'array', items, start, end: cursor.lastEnd };
  }
  if (token.text === '{') return parseObject(cursor, start);
  throw cursor.error(token);
}

function parseNamed(cursor: Cursor, token: Token): Expression {
  const { text, start } = token;
  const upper = text.toUpperCase();
  if (CONSTANTS.has(text)) {
    cursor.next();
    return { kind: 'literal', value: CONSTANTS.get(text), start, end: token.end };
  }
  const isCall = cursor.peek(1).text === '(';
  if (isCall && (upper === 'EXISTS' || upper === 'ARRAY')) {
    cursor.next();
    cursor.next();
    return parseSubquery(cursor, upper === 'EXISTS' ? 'exists' : 'array', start);
  }
  if (text === 'udf') {
    throw queryError('SC2005', 'User-defined functions are not supported by this local Cosmos DB server.', token);
  }
  if (isCall && (cursor.isIdentifier() || upper === 'LEFT' || upper === 'RIGHT')) {
    cursor.next();
    cursor.next();
    const args = parseList(cursor, ')');
    return { kind: 'call', name: upper, args, start, end: cursor.lastEnd };
  }
  const name = cursor.identifier();
  return { kind: 'name', name, start, end: token.end };
}

function parseSubquery(cursor: Cursor, form: 'scalar' | 'exists' | 'array', start: number): Expression {
  const query = cursor.select(cursor);
  cursor.expectSymbol(')');
  return { kind: 'subquery', form, query, start, end: cursor.lastEnd };
}

function parseObject(cursor: Cursor, start: number): Expression {
  const properties: { name: string; value: Expression }[] = [];
  if (!cursor.takeSymbol('}')) {
    do {
      const token = cursor.peek();
      const name = token.kind === 'string' ? unquote(cursor.next().text) : cursor.identifier();
      cursor.expectSymbol(':');
      properties.push({ name, value: parseExpression(cursor) });
    } while (cursor.takeSymbol(','));
    cursor.expectSymbol('}');
  }
  return { kind: 'object', properties, start, end: cursor.lastEnd };
}

function parseList(cursor: Cursor, end: string): Expression[] {
  const items: Expression[] = [];
  if (cursor.takeSymbol(end)) return items;
  do items.push(parseExpression(cursor));
  while (cursor.takeSymbol(','));
  cursor.expectSymbol(end);
  return items;
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right, start: left.start, end: right.end };
}
