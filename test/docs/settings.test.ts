import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from '../../shared/config.ts';
import { repository } from '../tools/temporaryTree.ts';
import { readPage, tableRows } from './markdown.ts';

const example = JSON.parse(readFileSync(join(repository, 'local.settings.example.json'), 'utf8')) as {
  Values: Record<string, string>;
};
const documented = tableRows(readPage('docs/operations.md')).flatMap(([name = '', second = '']) => {
  const setting = /^`([A-Za-z]+(?:_[A-Za-z_]+)?)`$/.exec(name)?.[1];
  return setting === undefined ? [] : [{ setting, second }];
});

it('docs/operations.md describes every setting of the example, and no other', () => {
  expect(documented.map(({ setting }) => setting).sort()).toEqual(Object.keys(example.Values).sort());
});

it('docs/operations.md tells the true default of every setting that the app reads', () => {
  const read = Object.keys(readConfig(example.Values));
  expect(read.length).toBeGreaterThan(10);
  for (const name of read)
    expect([name, documented.find(({ setting }) => setting === name)?.second]).toEqual([name, defaultOf(name)]);
});

/** What becomes of a setting that is left out, as the table says it. */
function defaultOf(name: string): string {
  const { [name]: _left, ...others } = example.Values;
  try {
    const value = (readConfig(others) as Record<string, unknown>)[name];
    return value === undefined ? 'none' : `\`${String(value)}\``;
  } catch {
    return 'required';
  }
}
