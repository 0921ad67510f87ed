// Every documented function once or more, with what the documentation says of it. They are asked in one query.
import { beforeAll, describe, expect, it } from 'vitest';
import { openAccount } from './account.ts';

const { create } = await openAccount();
const container = await create({ id: 'c', partitionKey: '/p' });
const document = { id: 'x', p: 1, n: -2.5, s: 'abc', list: [1, 2, 3], o: { a: 1, b: 'z' }, no: null, yes: true };

const at = "'2021-01-31T12:34:56.7890123Z'";
const cases: [string, unknown][] = [
  ['IS_DEFINED(c.n)', true],
  ['IS_DEFINED(c.missing)', false],
  ['IS_NULL(c.no)', true],
  ['IS_BOOL(c.yes)', true],
  ['IS_STRING(c.s)', true],
  ['IS_NUMBER(c.s)', false],
  ['IS_ARRAY(c.list)', true],
  ['IS_OBJECT(c.o)', true],
  ['IS_OBJECT(c.list)', false],
  ['IS_PRIMITIVE(c.no)', true],
  ['IS_PRIMITIVE(c.o)', false],
  ['IS_INTEGER(c.n)', false],
  ['IS_INTEGER(3)', true],
  ['IS_FINITE_NUMBER(c.n)', true],
  [`IS_DATETIME(${at})`, true],
  ["IS_DATETIME('2021-13-01')", false],

  ["CONCAT(c.s, 'd', 'e')", 'abcde'],
  ['CONCAT(c.s, c.n)', undefined],
  ["CONTAINS(c.s, 'BC', true)", true],
  ["CONTAINS(c.s, 'BC')", false],
  ["STARTSWITH(c.s, 'ab')", true],
  ["ENDSWITH(c.s, 'C', true)", true],
  ["STRINGEQUALS(c.s, 'ABC', true)", true],
  ['LENGTH(c.s)', 3],
  ['LENGTH(c.n)', undefined],
  ["LOWER('AbC')", 'abc'],
  ["UPPER('AbC')", 'ABC'],
  ["TRIM('  x ')", 'x'],
  ["LTRIM('  x ')", 'x '],
  ["RTRIM('  x ')", '  x'],
  ['LEFT(c.s, 2)', 'ab'],
  ['RIGHT(c.s, 2)', 'bc'],
  ['SUBSTRING(c.s, 1, 1)', 'b'],
  ["INDEX_OF(c.s, 'c')", 2],
  ["INDEX_OF(c.s, 'z')", -1],
  ["REPLACE('a.a', 'a', 'b')", 'b.b'],
  ["REPLICATE('ab', 3)", 'ababab'],
  ['REVERSE(c.s)', 'cba'],
  ["REGEXMATCH('Abcd', '^a.', 'i')", true],
  ["REGEXMATCH('abcd', 'ABC')", false],
  ["STRINGTONUMBER('1.5')", 1.5],
  ["STRINGTONUMBER('x')", undefined],
  ["STRINGTOBOOLEAN('true')", true],
  ["STRINGTONULL('null')", null],
  ["STRINGTOARRAY('[1]')", [1]],
  ["STRINGTOOBJECT('{}')", {}],
  ['TOSTRING(1.5)', '1.5'],
  ['TOSTRING(c.list)', '[1,2,3]'],
  ['TOSTRING(c.missing)', undefined],
  ["STRINGJOIN(['a', 'b'], '-')", 'a-b'],
  ["STRINGSPLIT('a-b', '-')", ['a', 'b']],

  ['ABS(c.n)', 2.5],
  ['ABS(c.s)', undefined],
  ['CEILING(c.n)', -2],
  ['FLOOR(c.n)', -3],
  ['TRUNC(c.n)', -2],
  ['ROUND(2.4)', 2],
  ['ROUND(-2.6)', -3],
  ['SIGN(c.n)', -1],
  ['SQRT(9)', 3],
  ['SQRT(-9)', undefined],
  ['SQUARE(3)', 9],
  ['POWER(2, 10)', 1024],
  ['EXP(0)', 1],
  ['LOG(1)', 0],
  ['LOG(8, 2)', 3],
  ['LOG10(1000)', 3],
  ['SIN(0)', 0],
  ['COS(0)', 1],
  ['TAN(0)', 0],
  ['ASIN(0)', 0],
  ['ACOS(1)', 0],
  ['ATAN(0)', 0],
  ['ATN2(0, 1)', 0],
  ['DEGREES(PI())', 180],
  ['RADIANS(180) = PI()', true],
  ['ROUND(COT(1) * 1000)', 642],
  ['RAND() < 1', true],
  ['NUMBERBIN(37, 10)', 30],
  ['INTADD(20, 10)', 30],
  ['INTADD(20, 0.5)', undefined],
  ['INTSUB(25, 50)', -25],
  ['INTMUL(5, 2)', 10],
  ['INTDIV(10, 3)', 3],
  ['INTDIV(1, 0)', undefined],
  ['INTMOD(12, 5)', 2],
  ['INTBITAND(15, 25)', 9],
  ['INTBITOR(56, 100)', 124],
  ['INTBITXOR(56, 100)', 92],
  ['INTBITNOT(65)', -66],
  ['INTBITLEFTSHIFT(16, 4)', 256],
  ['INTBITRIGHTSHIFT(16, 4)', 1],

  ['ARRAY_LENGTH(c.list)', 3],
  ['ARRAY_LENGTH(c.s)', undefined],
  ['ARRAY_CONTAINS(c.list, 2)', true],
  ["ARRAY_CONTAINS(c.list, '2')", false],
  ['ARRAY_CONTAINS([{a: 1, b: 2}], {a: 1}, true)', true],
  ['ARRAY_CONTAINS([{a: 1, b: 2}], {a: 1})', false],
  ['ARRAY_CONTAINS_ANY(c.list, 9, 3)', true],
  ['ARRAY_CONTAINS_ALL(c.list, 1, 9)', false],
  ['ARRAY_CONCAT(c.list, [4], [])', [1, 2, 3, 4]],
  ['ARRAY_SLICE(c.list, 1)', [2, 3]],
  ['ARRAY_SLICE(c.list, -2, 1)', [2]],
  ['SETINTERSECT([1, 2, 2], [2, 3])', [2]],
  ['SETUNION([1, 2], [2, 3])', [1, 2, 3]],
  ['CHOOSE(2, "a", "b")', 'b'],
  ['CHOOSE(3, "a", "b")', undefined],
  [
    'OBJECTTOARRAY(c.o)',
    [
      { k: 'a', v: 1 },
      { k: 'b', v: 'z' },
    ],
  ],
  ["IIF(c.yes, 'y', 'n')", 'y'],
  ["IIF(1, 'y', 'n')", 'n'],
  ['IS_DEFINED(DOCUMENTID(c))', true],

  [`DATETIMEADD('mm', 1, ${at})`, '2021-02-28T12:34:56.7890123Z'],
  [`DATETIMEADD('year', -1, ${at})`, '2020-01-31T12:34:56.7890123Z'],
  ["DATETIMEADD('hh', 25, '2020-07-09T23:20:13.4575530Z')", '2020-07-11T00:20:13.4575530Z'],
  ["DATETIMEADD('mm', 1.5, '2020-07-09T23:20:13.4575530Z')", undefined],
  ["DATETIMEADD('mm', 1, 'soon')", undefined],
  ["DATETIMEDIFF('yyyy', '2028-01-01T01:02:03.1234527Z', '2020-01-03T01:02:03.1234567Z')", -8],
  ["DATETIMEDIFF('month', '2020-12-31T23:59:59Z', '2021-01-01T00:00:00Z')", 1],
  ["DATETIMEDIFF('second', '2020-01-01T00:00:00Z', '2020-01-01T01:00:00.5Z')", 3600],
  [`DATETIMEPART('yyyy', ${at})`, 2021],
  [`DATETIMEPART('mm', ${at})`, 1],
  [`DATETIMEPART('ms', ${at})`, 789],
  [`DATETIMEPART('ns', ${at})`, 789012300],
  [`DATETIMEBIN(${at}, 'hh', 5)`, '2021-01-31T08:00:00.0000000Z'],
  [`DATETIMEBIN(${at}, 'd')`, '2021-01-31T00:00:00.0000000Z'],
  ['DATETIMEFROMPARTS(2020, 9, 4, 1, 2, 3, 1234567)', '2020-09-04T01:02:03.1234567Z'],
  ['DATETIMEFROMPARTS(2020, 2, 30)', undefined],
  ["DATETIMETOTICKS('1970-01-01T00:00:01Z')", 10_000_000],
  ['TICKSTODATETIME(10000001)', '1970-01-01T00:00:01.0000001Z'],
  ["DATETIMETOTIMESTAMP('2020-07-09T23:20:13.457Z')", 1594336813457],
  ['TIMESTAMPTODATETIME(1594336813457)', '2020-07-09T23:20:13.4570000Z'],
  ['GETCURRENTTIMESTAMP() > 1700000000000', true],
  ['LENGTH(GETCURRENTDATETIME())', 28],
  ['GETCURRENTTICKS() > 17000000000000000', true],
];

describe('a built-in function answers', () => {
  let answers: Record<string, unknown>;
  beforeAll(async () => {
    await container.items.create(document);
    const properties = cases.map(([expression], number) => `f${number}: ${expression}`);
    const query = `SELECT VALUE {${properties.join(', ')}} FROM c`;
    [answers = {}] = (
      await container.items.query<Record<string, unknown>>(query, { partitionKey: 1 }).fetchAll()
    ).resources;
  });

  it.each(cases.map(([expression, expected], number) => [expression, expected, number] as const))(
    '%s with %j',
    (_, expected, number) => {
      expect(answers[`f${number}`]).toEqual(expected);
    },
  );
});
