import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeVersion, isAtLeast } from '../../../shared/durable/version.ts';

test('the host gives and runs the version that the code is', () => {
  const { durableTask } = (JSON.parse(readFileSync('host.json', 'utf8')) as { extensions: { durableTask: object } })
    .extensions;
  expect(durableTask).toMatchObject({ defaultVersion: codeVersion, versionMatchStrategy: 'CurrentOrOlder' });
});

test('versions compare by their numbers, and none is older than any', () => {
  expect(isAtLeast('1.10', '1.9')).toBe(true);
  expect(isAtLeast('1.9', '1.10')).toBe(false);
  expect(isAtLeast('2.0', '1.10')).toBe(true);
  expect(isAtLeast(undefined, '1.0')).toBe(false);
  const version = fc.array(fc.nat(30), { minLength: 2, maxLength: 2 }).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(isAtLeast(a, a)).toBe(true);
      expect(isAtLeast(a, b) || isAtLeast(b, a)).toBe(true);
      expect(isAtLeast(a, b) && isAtLeast(b, a)).toBe(a === b);
    }),
  );
});
