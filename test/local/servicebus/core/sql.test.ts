import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runAction } from '../../../../local/servicebus/core/sql/action.ts';
import { truthOf } from '../../../../local/servicebus/core/sql/evaluate.ts';
import { isLike } from '../../../../local/servicebus/core/sql/like.ts';
import { type Parameters, parseAction, parseFilter } from '../../../../local/servicebus/core/sql/parser.ts';
import type { Scope } from '../../../../local/servicebus/core/sql/scope.ts';
import { FilterException, type SqlValue } from '../../../../local/servicebus/core/sql/values.ts';

const scope = (user: Record<string, SqlValue> = {}, system: Record<string, string> = {}): Scope => ({
  newId: () => '00000000-0000-4000-8000-000000000001',
  system: (name) => system[name],
  user: (name) => Object.entries(user).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1],
});
const holds = (sql: string, user?: Record<string, SqlValue>, parameters?: Parameters) =>
  truthOf(parseFilter(sql, parameters), scope(user));

describe('a SQL filter', () => {
  it.each([
    ["colour = 'red' AND size > 2", true],
    ["COLOUR = 'red'", true],
    ['[colour] = \'red\' and "size" >= 3', true],
    ["colour IN ('blue', 'red')", true],
    ["colour NOT IN ('blue')", true],
    ["colour LIKE 'r_d' AND NOT colour LIKE 'R%'", true],
    ["note LIKE '50!%' ESCAPE '!'", true],
    ["colour + '!' = 'red!'", true],
    ['size * 2 - 1 = 5 AND size / 2 = 1 AND size % 2 = 1', true],
    ['size = 3.0 AND ratio = 5e-1', true],
    ['hot = TRUE AND EXISTS(hot) AND NOT EXISTS(cold)', true],
    ['nothing IS NULL AND absent IS NULL AND size IS NOT NULL', true],
    ["property('si' + 'ze') = 3 AND p('size') = user.size", true],
    ["it's = 1", undefined],
    ["colour = 'Red'", false],
    ["size = '3'", false],
    ["size <> '3'", true],
    ['absent = 1', undefined],
    ['NOT absent = 1', undefined],
    ['nothing = NULL', undefined],
    ['absent IN (1)', undefined],
    ['3 IN (absent, size)', true],
    ['3 NOT IN (absent)', true],
    ["colour LIKE absent OR 'a' LIKE 'b' ESCAPE absent", undefined],
    ['-size < -2 AND +size = 3 AND -(absent) = 1', undefined],
    ['size > @least AND colour <> @other', true],
  ])('%s is %s', (sql, expected) => {
    if (sql.startsWith("it's")) return expect(() => holds(sql)).toThrow(/line 1, column 3.*never closed/);
    const user = { colour: 'red', size: 3n, ratio: 0.5, hot: true, nothing: null, note: '50%' };
    expect(holds(sql, user, { '@least': 2, '@other': 'blue' })).toBe(expected);
  });

  it('reads system properties, and only those that there are', () => {
    const system = scope({}, { subject: 's', to: 'x' });
    expect(truthOf(parseFilter("sys.Label = 's' AND sys.subject = 's' AND SYS.To LIKE 'x%'"), system)).toBe(true);
    expect(truthOf(parseFilter("sys.SessionId = 's'"), system)).toBeUndefined();
    expect(() => parseFilter('a = 1 AND sys.colour = 1')).toThrow(/column 15.*no system property 'colour'/);
  });

  it.each([
    ['', /column 1 \(the end\): a value or a property is expected/],
    ['a =', /column 4 \(the end\)/],
    ['a = 1\n  AND b ==', /line 2, column 10/],
    ['a', /a value alone is none/],
    ['a = (b = 1)', /a value is expected, not a condition/],
    ['a-b = 1 c', /column 9 \('c'\): the expression should have ended/],
    ['like = 1', /LIKE is a keyword; a property of this name is written \[like\]/],
    ['a = @b', /the parameter @b has no value/],
    ['upper(a) = 1', /there is no function 'upper'/],
    ['my.a = 1', /there is no scope 'my'/],
    ['a = 9223372036854775808', /beyond 64-bit/],
    ['a # 1', /no token begins like this/],
  ])('%s is refused with its place', (sql, problem) => {
    expect(() => parseFilter(sql)).toThrow(problem);
  });

  it('has limits of length and depth', () => {
    expect(() => parseFilter(`${'('.repeat(40)}a = 1`)).toThrow(/at most 32 levels/);
    expect(() => parseFilter(`a = '${'x'.repeat(1100)}'`)).toThrow(/at most 1024 characters/);
    expect(() => parseAction('SET a = 1;'.repeat(33))).toThrow(/at most 32 statements/);
  });

  it.each([
    ["'a' < 1", /cannot be put in an order/],
    ['1 / 0 = 1', /Division by zero/],
    ["1 - 'a' = 1", /is not for a number and a string/],
    ['9223372036854775807 + 1 = 1', /range of 64-bit/],
    ["1 LIKE 'a'", /LIKE is for text/],
  ])('%s cannot be evaluated, which is more than unknown', (sql, problem) => {
    expect(() => holds(sql)).toThrow(FilterException);
    expect(() => holds(sql)).toThrow(problem);
  });

  it('takes any text, or says where it is wrong', () => {
    const piece = fc.constantFrom(
      'a',
      '1',
      "'x'",
      '(',
      ')',
      'AND',
      'NOT',
      'IS',
      'NULL',
      'IN',
      'LIKE',
      '=',
      '<',
      '+',
      '.',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join(' ')),
        ),
        (sql) => {
          try {
            parseFilter(sql);
          } catch (error) {
            expect(String(error)).toMatch(/BusError: The SQL expression is not valid at line \d+, column \d+/);
          }
        },
      ),
    );
  });
});

describe('three-valued logic', () => {
  const atom = fc.constantFrom('1 = 1', '1 = 0', 'absent = 1');
  const { predicate } = fc.letrec<{ predicate: string }>((tie) => ({
    predicate: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc
        .tuple(tie('predicate'), fc.constantFrom('AND', 'OR'), tie('predicate'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('predicate').map((a) => `(NOT ${a})`),
    ),
  }));

  it('follows its tables', () => {
    const table = (operator: string) =>
      ['1=1', '1=0', 'u=1'].map((a) => ['1=1', '1=0', 'u=1'].map((b) => holds(`${a} ${operator} ${b}`)));
    const [t, f, u] = [true, false, undefined];
    expect(table('AND')).toEqual([
      [t, f, u],
      [f, f, f],
      [u, f, u],
    ]);
    expect(table('OR')).toEqual([
      [t, t, t],
      [t, f, u],
      [t, u, u],
    ]);
  });

  it("obeys De Morgan's laws, and order does not matter", () => {
    fc.assert(
      fc.property(predicate, predicate, (a, b) => {
        expect(holds(`NOT (${a} AND ${b})`)).toBe(holds(`(NOT ${a}) OR (NOT ${b})`));
        expect(holds(`${a} OR ${b}`)).toBe(holds(`${b} OR ${a}`));
        expect(holds(`NOT NOT ${a}`)).toBe(holds(a));
      }),
    );
  });

  it('binds NOT before AND before OR', () => {
    fc.assert(
      fc.property(atom, atom, atom, (a, b, c) => {
        expect(holds(`NOT ${a} AND ${b} OR ${c}`)).toBe(holds(`((NOT (${a})) AND (${b})) OR (${c})`));
        expect(holds(`${a} OR ${b} AND NOT ${c}`)).toBe(holds(`(${a}) OR ((${b}) AND (NOT (${c})))`));
      }),
    );
  });
});

it('calculates as C# does: the reference is the same text as JavaScript', () => {
  const { sum } = fc.letrec<{ sum: string }>((tie) => ({
    sum: fc.oneof(
      { maxDepth: 5 },
      fc.integer({ min: 0, max: 9 }).map(String),
      fc.tuple(tie('sum'), fc.constantFrom('+', '-', '*', '/', '%'), tie('sum')).map((parts) => parts.join(' ')),
      tie('sum').map((inside) => `(${inside})`),
      tie('sum').map((inside) => `- (${inside})`),
    ),
  }));
  fc.assert(
    fc.property(sum, (text) => {
      let expected: bigint | undefined;
      try {
        expected = new Function(`return ${text.replaceAll(/\d+/g, '$&n')}`)() as bigint;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      if (expected === undefined) expect(() => holds(`${text} = 0`)).toThrow(/Division by zero/);
      else expect(holds(`${text} = @expected`, {}, { '@expected': expected })).toBe(true);
    }),
  );
});

it('LIKE agrees with a regular expression', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '.', '😀')).map((parts) => parts.join(''));
  const pattern = fc.array(fc.constantFrom('a', 'b', '.', '😀', '%', '_', '!%', '!_', '!!'), { maxLength: 8 });
  fc.assert(
    fc.property(text, pattern, (subject, pieces) => {
      const plain: Record<string, string> = { '%': '.*', _: '.', '!%': '%', '!_': '_', '!!': '!', '.': '\\.' };
      const expected = new RegExp(`^${pieces.map((piece) => plain[piece] ?? piece).join('')}$`, 'su');
      expect(isLike(subject, pieces.join(''), '!')).toBe(expected.test(subject));
    }),
  );
  expect(isLike('a'.repeat(3000), `${'%a'.repeat(300)}b`)).toBe(false);
});

describe('an action', () => {
  const act = (sql: string, user: Record<string, SqlValue> = {}, system: Record<string, string> = {}) => {
    const changes = runAction(parseAction(sql), scope(user, system));
    return { user: Object.fromEntries(changes.user), system: Object.fromEntries(changes.system) };
  };

  it('sets and removes, and sees what it has set before', () => {
    const changes = act("SET a = size + 1; SET a = A * 2 SET sys.Label = 'n' + a, REMOVE size; REMOVE sys.To", {
      size: 3n,
    });
    expect(changes).toEqual({ user: { a: 8n, size: undefined }, system: { subject: 'n8', to: undefined } });
  });

  it('sets null to what is unknown', () => {
    expect(act('SET a = absent + 1; SET sys.Label = absent')).toEqual({
      user: { a: null },
      system: { subject: undefined },
    });
  });

  it.each([
    ['', /SET or REMOVE is expected/],
    ['SET a 1', /column 7.*'=' is expected/],
    ['SET a = 1 = 1', /column 11/],
    ['DROP a', /column 1 \('DROP a'\)/],
    ['SET sys.SequenceNumber = 1', /no system property/],
  ])('%s is refused with its place', (sql, problem) => {
    expect(() => parseAction(sql)).toThrow(problem);
  });
});
