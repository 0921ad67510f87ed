// Prints `N passed, N failed` from a Vitest JSON report, for machines that read the last line of a run.
// Usage: node tools/testCount.ts <report.json>
import { readFileSync } from 'node:fs';

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

const [path] = process.argv.slice(2);
if (!path) throw new Error('Usage: node tools/testCount.ts <report.json>');
const report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
// A file that can't be loaded has no tests to count: it counts as one failure.
const brokenFiles = report.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
).length;
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + brokenFiles} failed`);
