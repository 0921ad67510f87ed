import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRoute, matchRoutes } from '../../../local/host/http/routes.ts';

const where = 'Function "f"';
const compile = (template: string) => compileRoute(template, ['GET'], template, where);
const params = (template: string, path: string) => matchRoutes([compile(template)], path)[0]?.params;

test('a constraint decides whether a value fits, by the rules of ASP.NET', () => {
  const cases: [constraint: string, fits: string[], fails: string[]][] = [
    ['int', ['-7', '2147483647'], ['2147483648', '1.5', 'x']],
    ['long', ['9223372036854775807'], ['9223372036854775808']],
    ['bool', ['true', 'FALSE'], ['1']],
    ['alpha', ['aZ'], ['a1', 'é']],
    ['guid', ['6F1F3C2A-5f0e-4d4e-9a5b-0c7d8e9f0a1b', '6f1f3c2a5f0e4d4e9a5b0c7d8e9f0a1b'], ['6f1f3c2a']],
    ['decimal', ['49.99', '-1'], ['1e3']],
    ['double', ['1.234', '-1e3'], ['1,x']],
    ['float', ['.5'], ['x']],
    [
      'datetime',
      ['2016-12-31', '2016-12-31 7:32pm', '2026-02-28T23:59:59Z'],
      ['2026-02-30', '2026-01-01T25:00', 'now'],
    ],
    ['min(18)', ['18'], ['17', 'x']],
    ['max(120)', ['120'], ['121']],
    ['range(18,120)', ['18', '120'], ['17', '121']],
    ['length(3)', ['abc'], ['ab', 'abcd']],
    ['length(2,3)', ['ab', 'abc'], ['a', 'abcd']],
    ['minlength(2)', ['ab'], ['a']],
    ['maxlength(2)', ['ab'], ['abc']],
    ['regex(^\\d{{3}}-(a|b)$)', ['123-a', '123-B'], ['123-c', '1234-a']],
    ['regex(\\d)', ['x1y'], ['xy']],
    ['int:min(3):max(5)', ['4'], ['2', '6']],
  ];
  for (const [constraint, fits, fails] of cases) {
    const fitting = (value: string) => params(`a/{v:${constraint}}`, `/a/${encodeURIComponent(value)}`);
    for (const value of fits) expect(fitting(value), `${constraint} ${value}`).toEqual({ v: value });
    for (const value of fails) expect(fitting(value), `${constraint} ${value}`).toBeUndefined();
  }
});

test('optional, default and catch-all parameters take what is there', () => {
  expect(params('pages/{page=1}', '/pages')).toEqual({ page: '1' });
  expect(params('pages/{page:int=1}', '/pages/x')).toBeUndefined();
  expect(params('{a}/{b?}/{c?}', '/x/')).toEqual({ a: 'x' });
  expect(params('{file}.{ext?}', '/a.b.txt')).toEqual({ file: 'a.b', ext: 'txt' });
  expect(params('{file}.{ext?}', '/readme')).toEqual({ file: 'readme' });
  expect(params('v{major}.{minor}-{tag}', '/V1.2.3-x-y')).toEqual({ major: '1.2', minor: '3-x', tag: 'y' });
  for (const star of ['{*rest}', '{**rest}']) {
    expect(params(`files/${star}`, '/files/a//b/')).toEqual({ rest: 'a//b/' });
    expect(params(`files/${star}`, '/files')).toEqual({});
  }
  expect(params('a/{b}', '/a//')).toBeUndefined();
  expect(params('a/{b}', '/a/x/y')).toBeUndefined();
});

test('values are decoded, except an encoded slash and what is no UTF-8', () => {
  expect(params('a/{v}', '/%61/%C3%A9%20%2f%FF')).toEqual({ v: 'é %2f%FF' });
  expect(params('a{{b}}/{v}', '/a%7Bb%7D/1')).toEqual({ v: '1' });
});

test('a template that has no exact meaning is refused with its function and the reason', () => {
  const refusals: [template: string, message: string][] = [
    ['{a}{b}', 'has {a} and {b} side by side'],
    ['{a}/{A}', 'names {A} twice'],
    ['{a?}/b', 'has an optional parameter before a part that must be there'],
    ['{*rest}/b', 'has more after {*rest}'],
    ['x{*rest}', 'has a catch-all that is no segment of its own'],
    ['{a:range(1)}', 'the route constraint ":range(1)" needs 2 numbers'],
    ['{a:regex([)}', 'is no regular expression'],
    ['{a:prime}', 'the route constraint ":prime" is not supported'],
    ['{a:length(3}', 'the route parameter {a:length(3} is not understood'],
    ['{1}', 'the route parameter {1} is not understood'],
  ];
  for (const [template, message] of refusals) expect(() => compile(template), template).toThrow(message);
  expect(() => compile('{a:min(x)}')).toThrow(where);
});

test('a hostile path does not hold the host up', () => {
  const start = performance.now();
  expect(params('{v:regex(^(a+)+$)}', `/${'a'.repeat(4000)}b`)).toBeUndefined();
  expect(params('{a}-{b}-{c}-{d}-{e}.json', `/${'-'.repeat(8000)}`)).toBeUndefined();
  // With backtracking it would be years.
  expect(performance.now() - start).toBeLessThan(10_000);
});

const word = fc.stringMatching(/^[a-zA-Z0-9]{1,6}$/);
const anyValue = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => text.isWellFormed() && !/[/\\]/.test(text) && text !== '.' && text !== '..');
type Piece = { template: (name: string) => string; path: string; value?: string };
const piece: fc.Arbitrary<Piece> = fc.oneof(
  word.map((text) => ({ template: () => text, path: text })),
  anyValue.map((value) => ({ template: (name: string) => `{${name}}`, path: encodeURIComponent(value), value })),
  fc
    .maxSafeInteger()
    .map((value) => ({ template: (name: string) => `{${name}:long}`, path: String(value), value: String(value) })),
  fc
    .tuple(word, word, word)
    .map(([a, value, b]) => ({ template: (name: string) => `${a}-{${name}}.${b}`, path: `${a}-${value}.${b}`, value })),
);

test('every path that is built from a template gives back its values, and the most specific template comes first', () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const template = pieces.map((each, index) => each.template(`p${index}`)).join('/');
      const path = new URL(`http://h/${pieces.map((each) => each.path).join('/')}`).pathname;
      const values = Object.fromEntries(
        pieces.flatMap(({ value }, index) => (value === undefined ? [] : [[`p${index}`, value]])),
      );
      const loose = compile(pieces.map((_, index) => `{q${index}}`).join('/'));
      const matches = matchRoutes([loose, compile(template)], path);
      expect(matches.find(({ route }) => route.template === template)?.params).toEqual(values);
      expect(matches).toHaveLength(2);
      expect(matches[0]?.route === loose).toBe(pieces.every((each) => /^\{\w+\}$/.test(each.template('p'))));
    }),
    { numRuns: 300 },
  );
});
