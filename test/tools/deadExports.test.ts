import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, temporaryTree } from './temporaryTree.ts';

/** Runs knip with the house's configuration over a small tree and returns its report. */
function knip(files: Record<string, string>, dependencies: Record<string, string> = {}) {
  const root = temporaryTree({
    'knip.json': readFileSync(join(repository, 'knip.json'), 'utf8'),
    'package.json': JSON.stringify({ name: 'tree', type: 'module', main: 'functions/register.ts', dependencies }),
    ...files,
  });
  const arguments_ = [
    join(repository, 'node_modules/knip/bin/knip.js'),
    '--directory',
    root,
    '--no-gitignore',
    '--no-config-hints',
  ];
  return new Promise<{ code: number; report: string }>((resolve) => {
    execFile(process.execPath, arguments_, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, report: stdout + stderr });
    });
  });
}

const entry = { 'functions/register.ts': `import { used } from '../shared/budget.ts';\nused();\n` };
const used = `export function used(): void {}\n`;

describe('the check for dead code', () => {
  it('accepts a tree in which everything is used', async () => {
    const { code, report } = await knip({ ...entry, 'shared/budget.ts': used });
    expect({ code, report: report.trim() }).toEqual({ code: 0, report: '' });
  });

  it('reports an export that nobody imports', async () => {
    const { code, report } = await knip({ ...entry, 'shared/budget.ts': `${used}export const deadBudget = 1;\n` });
    expect(code).toBe(1);
    expect(report).toContain('deadBudget');
  });

  it('reports a file that nobody imports', async () => {
    const { code, report } = await knip({ ...entry, 'shared/budget.ts': used, 'local/arm/forgotten.ts': used });
    expect(code).toBe(1);
    expect(report).toContain('local/arm/forgotten.ts');
  });

  it('reports a dependency that nobody imports', async () => {
    const { code, report } = await knip({ ...entry, 'shared/budget.ts': used }, { jose: '6.2.17' });
    expect(code).toBe(1);
    expect(report).toContain('jose');
  });

  it('counts a file as used when only a test imports it', async () => {
    const test = { 'test/shared/budget.test.ts': `import { used } from '../../shared/budget.ts';\nused();\n` };
    const { code } = await knip({ 'functions/register.ts': 'export {};\n', ...test, 'shared/budget.ts': used });
    expect(code).toBe(0);
  });
});
