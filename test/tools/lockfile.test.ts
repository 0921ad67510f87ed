import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './temporaryTree.ts';

interface Locked {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}
const read = (path: string) => JSON.parse(readFileSync(join(repository, path), 'utf8'));

it('the lock file names the optional packages of every platform, without which npm ci refuses it', () => {
  const packages: Record<string, Locked> = read('package-lock.json').packages;
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
});

it('dependencies are pinned to exact versions, for npm resolves ranges by the Node that runs it', () => {
  const { dependencies, devDependencies, optionalDependencies, overrides } = read('package.json');
  const all: Record<string, string> = { ...dependencies, ...devDependencies, ...optionalDependencies, ...overrides };
  expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
