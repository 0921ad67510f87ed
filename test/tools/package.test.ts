import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageApp } from '../../tools/package.ts';
import { temporaryTree } from './temporaryTree.ts';

const app = (register: string) =>
  temporaryTree({
    'package.json': JSON.stringify({
      name: 'app',
      version: '1.2.3',
      license: 'Apache-2.0',
      type: 'module',
      main: 'functions/register.ts',
      scripts: { start: 'node examples/run.ts' },
      engines: { node: '>=24' },
      dependencies: { zod: '4.6.7', jose: '6.2.17' },
      devDependencies: { esbuild: '0.28.2' },
      overrides: { rhea: '3.0.5' },
    }),
    'functions/register.ts': register,
    'shared/number.ts': `export const number: number = 5;\n`,
    'host.json': '{}',
    LICENSE: 'text',
  });

describe('the deployed package', () => {
  it('is one bundle of our modules that runs beside the packages it names, and nothing else', async () => {
    const root = app(
      `import { readFileSync } from 'node:fs';\nimport { z } from 'zod/v4';\nimport { number } from '../shared/number.ts';\nconsole.log(z.number().parse(number), typeof readFileSync);\n`,
    );
    const out = join(root, 'dist/app');
    expect(await packageApp(root, out)).toEqual(['zod']);
    expect(readdirSync(out).sort()).toEqual(['LICENSE', 'host.json', 'main.js', 'main.js.map', 'package.json']);
    expect(JSON.parse(readFileSync(join(out, 'package.json'), 'utf8'))).toEqual({
      name: 'app',
      version: '1.2.3',
      license: 'Apache-2.0',
      private: true,
      type: 'module',
      main: 'main.js',
      engines: { node: '>=24' },
      dependencies: { zod: '4.6.7' },
      overrides: { rhea: '3.0.5' },
    });
    expect(execFileSync(process.execPath, [join(out, 'main.js')], { encoding: 'utf8' })).toBe('5 function\n');
  });

  it('is refused when the app imports a package that is only there for development', async () => {
    const root = app(`import * as it from 'esbuild';\nconsole.log(it);\n`);
    await expect(packageApp(root, join(root, 'dist/app'))).rejects.toThrow('Imported, but not a dependency: esbuild');
  });
});
