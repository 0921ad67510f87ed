import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../local/cosmos/json.ts';
import { createItem } from '../../../local/cosmos/operations/items.ts';
import { parseQuestion, runQuery } from '../../../local/cosmos/operations/query.ts';
import { keyOfDocument } from '../../../local/cosmos/partition/key.ts';
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
  const condition = fc.oneof(
    fc.tuple(fc.constantFrom('c.a', 'c.b', 'c.o.x', 'c.id', 'c.p'), fc.constantFrom('=', '!=', '<', '<=', '>', '>=')),
    fc.tuple(fc.constantFrom('c.a', 'c.p'), fc.constant('flipped')),
  );
  const where = fc.array(fc.tuple(condition, scalar), { minLength: 1, maxLength: 3 });
  const document = fc.record({
    a: maybe,
    b: maybe,
    o: fc.option(fc.record({ x: maybe }), { nil: undefined }),
    p: scalar,
  });

  it('never changes the answer of a query', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(document, { maxLength: 8 }), where, async (documents, conjuncts) => {
        const store = new Store(undefined, () => 0);
        const container = await store.define((catalog) => {
          catalog.createDatabase('d');
          return catalog.createContainer('d', { id: 'c', partitionKey: { paths: ['/p'], version: 2 } });
        });
        for (const [at, each] of documents.entries()) {
          const item: JsonObject = JSON.parse(JSON.stringify({ id: `i${at}`, ...each }));
          const key = keyOfDocument(container.partitionKey, item);
          await store.write(container, (transaction) => createItem(transaction, key, item));
        }
        const text = conjuncts.map(([[path, operator]], at) =>
          operator === 'flipped' ? `@p${at} <= ${path}` : `${path} ${operator} @p${at}`,
        );
        const parameters = conjuncts.map(([, constant], at) => ({ name: `@p${at}`, value: constant }));
        const query = `SELECT VALUE c.id FROM c WHERE ${text.join(' AND ')}`;
        const question = parseQuestion({ query, parameters }, container);
        const options = { range: undefined, maxItems: 100, continuation: undefined };
        const page = runQuery(store, container, question, options);
        const all = Array.from(store.items.scan(container, { now: 0 }), ({ body }): unknown => JSON.parse(body));
        const expected = prepare(question.query, parametersOf(parameters)).collect(all);
        expect(page.results.map((result): unknown => JSON.parse(result))).toEqual(expected);
        const { conditions } = narrow(question.query, question.parameters, container.partitionKey);
        const columns = conditions.flatMap(({ column }) => (column === undefined ? [] : [column]));
        store.indexes.want(container, columns);
        await store.sweep();
        expect(runQuery(store, container, question, options).results).toEqual(page.results);
        store.close();
      }),
      { numRuns: 60 },
    );
  });
});
