import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { repository, temporaryTree } from './temporaryTree.ts';

describe('the runtime of the tests', () => {
  it('is Node 24 with SQLite, whatever Node runs npm', () => {
    expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
    const database = new DatabaseSync(':memory:');
    expect(database.prepare('SELECT 1 AS one').get()).toEqual({ one: 1 });
    database.close();
  });

  it('is Node 24 in the processes that tests start by name through npm', () => {
    const version = execFileSync('npm', ['exec', '--offline', '--', 'node', '--version'], {
      cwd: repository,
      encoding: 'utf8',
    });
    expect(version).toMatch(/^v(2[4-9]|[3-9]\d)\./);
  });
});

describe('the test count', () => {
  const count = (report: object): string => {
    const path = join(temporaryTree({}), 'report.json');
    writeFileSync(path, JSON.stringify(report));
    return execFileSync(process.execPath, [join(repository, 'tools/testCount.ts'), path], { encoding: 'utf8' });
  };

  it('says how many passed and failed', () => {
    expect(count({ numPassedTests: 7, numFailedTests: 2, testResults: [] })).toBe('7 passed, 2 failed\n');
  });

  it('counts a test file that could not be loaded as a failure', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(count({ numPassedTests: 7, numFailedTests: 0, testResults })).toBe('7 passed, 1 failed\n');
  });
});
