import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, type JsonObject, member } from '../../../local/cosmos/json.ts';
import { accessPath } from '../../../local/cosmos/operations/access.ts';
import { createItem } from '../../../local/cosmos/operations/items.ts';
import { parseQuestion, runQuery } from '../../../local/cosmos/operations/query.ts';
import { intersection, keyOfDocument, makeKey, rangeOfKey } from '../../../local/cosmos/partition/key.ts';
import { parametersOf, prepare } from '../../../local/cosmos/sql/execute.ts';
import { narrow } from '../../../local/cosmos/sql/narrow.ts';
import { parseQuery } from '../../../local/cosmos/sql/parser.ts';
import { Store } from '../../../local/cosmos/store/store.ts';

/** The value of an expression over `c`; undefined when there is none. */
const evaluate = (expression: string, document: unknown = {}) =>
  prepare(parseQuery(`SELECT VALUE ${expression} FROM c`)).collect([document])[0];

const scalar = fc.oneof(
  fc.constantFrom<Json>('', 'a', 'b', 'A', 0, 1, -1, 0.5, true, false, null, 2 ** 53),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), fc.dictionary(fc.constantFrom('x', 'y'), scalar));
const maybe = fc.option(value, { nil: undefined });
const pair = fc.record({ a: maybe, b: maybe });
const typeOf = (of: unknown) => (of === null ? 'null' : Array.isArray(of) ? 'array' : typeof of);

describe('undefined', () => {
  it('is the answer of = and != exactly when an operand is undefined, and they never agree', () => {
    fc.assert(
      fc.property(pair, (c) => {
        const equal = evaluate('c.a = c.b', c);
        const isDefined = c.a !== undefined && c.b !== undefined;
        expect(typeof equal).toBe(isDefined ? 'boolean' : 'undefined');
        expect(evaluate('c.a != c.b', c)).toBe(isDefined ? !equal : undefined);
        expect(evaluate('NOT (c.a = c.b)', c)).toBe(isDefined ? !equal : undefined);
      }),
    );
  });

  it('is the answer of < and its kin for values of different types, arrays and objects', () => {
    fc.assert(
      fc.property(pair, (c) => {
        const isComparable =
          typeOf(c.a) === typeOf(c.b) && ['null', 'boolean', 'number', 'string'].includes(typeOf(c.a));
        const answers = ['<', '=', '>'].map((operator) => evaluate(`c.a ${operator} c.b`, c));
        if (isComparable) expect(answers.filter((answer) => answer === true)).toHaveLength(1);
        else expect([answers[0], answers[2]]).toEqual([undefined, undefined]);
        expect(evaluate('c.a <= c.b', c)).toBe(isComparable ? answers[2] !== true : undefined);
      }),
    );
  });

  it('obeys three-valued logic, De Morgan included', () => {
    const truth = [true, false, undefined, 1, null, 'x'];
    for (const a of truth) {
      for (const b of truth) {
        const c = { a, b };
        expect(evaluate('NOT (c.a AND c.b)', c)).toBe(evaluate('(NOT c.a) OR (NOT c.b)', c));
        expect(evaluate('c.a AND c.b', c)).toBe(evaluate('c.b AND c.a', c));
        expect(evaluate('c.a AND c.b', c) === true).toBe(a === true && b === true);
        expect(evaluate('c.a OR c.b', c) === true).toBe(a === true || b === true);
      }
    }
  });

  it.each([
    ['c.missing', undefined],
    ['c.missing.deeper[0]', undefined],
    ['IS_DEFINED(c.missing)', false],
    ['IS_NULL(c.missing)', false],
    ['c.missing ?? 1', 1],
    ['c.missing IN (1)', undefined],
    ['1 IN (c.missing, 1)', true],
    ["1 IN ('1')", false],
    ['1 + c.missing', undefined],
    ["1 + '1'", undefined],
    ['1 / 0', undefined],
    ['[1, c.missing, 2]', [1, 2]],
    ['{a: c.missing, b: 1}', { b: 1 }],
    ["CONTAINS(c.missing, 'x')", undefined],
    ['LOWER(1)', undefined],
    ['c.constructor', undefined],
    ["'a' || 'b' = 'ab'", undefined],
    ["('a' || 'b') = 'ab'", true],
    ['NOT true = false', true],
    ['-2 * -3 + 1', 7],
    ['2 + 3 * 4 - 6 / 3', 12],
    ["'it\\'s' ", "it's"],
    ['"\\u00e9\\n"', 'é\n'],
  ])('in %s', (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected);
  });
});

describe('what is decided in SQLite', () => {
  const path = fc.constantFrom('c.a', 'c.b', 'c.o.x', 'c.id', 'c.p', 'c["a b"]');
  const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
  const text = fc.string({ unit: 'binary', maxLength: 3 });
  /** A condition with marks for its constants, and these. */
  const simple = fc.oneof(
    fc.tuple(path, operator, scalar).map(([left, sign, right]) => ({ sql: `${left} ${sign} ?`, values: [right] })),
    fc.tuple(path, operator, scalar).map(([right, sign, left]) => ({ sql: `? ${sign} ${right}`, values: [left] })),
    fc.tuple(path, scalar, scalar).map(([left, ...values]) => ({ sql: `${left} BETWEEN ? AND ?`, values })),
    fc.tuple(path, scalar, scalar).map(([left, ...values]) => ({ sql: `${left} IN (?, ?)`, values })),
    fc.tuple(path, fc.array(scalar)).map(([left, list]) => ({ sql: `ARRAY_CONTAINS(?, ${left})`, values: [list] })),
    fc.tuple(path, text).map(([left, prefix]) => ({ sql: `STARTSWITH(${left}, ?)`, values: [prefix] })),
    fc.tuple(path, text).map(([left, prefix]) => ({ sql: `${left} LIKE ?`, values: [`${prefix}%`] })),
  );
  const condition = fc.oneof(
    simple,
    fc.tuple(simple, simple).map(([left, right]) => ({
      sql: `(${left.sql} OR ${right.sql})`,
      values: [...left.values, ...right.values],
    })),
  );
  const where = fc.array(condition, { minLength: 1, maxLength: 3 });
  const document = fc.record({
    a: maybe,
    b: maybe,
    o: fc.option(fc.record({ x: maybe }), { nil: undefined }),
    p: fc.constantFrom<Json>('k', 1, true),
    'a b': maybe,
  });
  const key = fc.constantFrom<Json | undefined>(undefined, 'k');

  it('never changes the answer of a query', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(document, { maxLength: 8 }), where, key, async (documents, conjuncts, pinned) => {
        const store = new Store(undefined, () => 0);
        const container = await store.define((catalog) => {
          catalog.createDatabase('d');
          return catalog.createContainer('d', { id: 'c', partitionKey: { paths: ['/p'], version: 2 } });
        });
        for (const [at, each] of documents.entries()) {
          const item: JsonObject = JSON.parse(JSON.stringify({ id: `i${at}`, ...each }));
          const itemKey = keyOfDocument(container.partitionKey, item);
          await store.write(container, (transaction) => createItem(transaction, itemKey, item));
        }
        const parameters = conjuncts
          .flatMap(({ values }) => values)
          .map((constant, at) => ({ name: `@p${at}`, value: constant }));
        let next = 0;
        const filter = conjuncts.map(({ sql }) => sql.replaceAll('?', () => `@p${next++}`)).join(' AND ');
        const question = parseQuestion({ query: `SELECT VALUE c.id FROM c WHERE ${filter}`, parameters }, container);
        const range = pinned === undefined ? undefined : rangeOfKey(makeKey(container.partitionKey, ['k']));
        const options = { range, maxItems: 100, continuation: undefined };
        const found = (): unknown => JSON.parse(`[${runQuery(store, container, question, options).text}]`);
        const all = Array.from(store.items.scan(container, { now: 0 }), ({ body }): unknown => JSON.parse(body));
        const expected = prepare(question.query, parametersOf(parameters)).collect(
          pinned === undefined ? all : all.filter((each) => member(each, 'p') === pinned),
        );
        expect(found()).toEqual(expected);
        const narrowed = narrow(question.query, question.parameters, container.partitionKey);
        const { wanted } = accessPath(
          store.indexes,
          container,
          narrowed.conditions,
          intersection(range, narrowed.range),
        );
        if (wanted) {
          store.indexes.missed(container, wanted, 1000);
          await store.sweep();
          expect(store.indexes.find(container, wanted)).toBeDefined();
        }
        expect(found()).toEqual(expected);
        store.close();
      }),
      { numRuns: 100 },
    );
  });
});
