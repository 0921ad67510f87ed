import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

const script = join(import.meta.dirname, 'fixtures/chains/host.ts');
const chains = 60;

function run(dataDir: string, journal: string): { child: ChildProcess; lines: string[] } {
  const env = { ...process.env, JOURNAL: journal };
  const child = spawn(process.execPath, [script, dataDir, String(chains)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => lines.push(`stderr ${line}`));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, lines };
}

const journalLines = (journal: string): string[] =>
  existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').filter(Boolean) : [];

/** Kills the process as soon as the journal has grown to a length: under load, at an arbitrary point of its work. */
async function killAt({ child, lines }: ReturnType<typeof run>, journal: string, length: number): Promise<void> {
  const isDue = () => lines.includes('started') && journalLines(journal).length >= length;
  while (!isDue() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('orchestrations killed again and again under load all complete once, with every step and event', {
  timeout: 40_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'durable-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const journal = join(dataDir, 'journal');
  for (const share of [0.1, 0.35, 0.6, 0.9]) {
    const host = run(dataDir, journal);
    await killAt(host, journal, chains * 13 * share);
    expect(host.child.signalCode).toBe('SIGKILL');
  }
  const last = run(dataDir, journal);
  await once(last.child, 'exit');
  expect(last.lines.at(-1)).toBe('done');
  const ended = last.lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(ended).toHaveLength(chains);
  for (const status of ended) {
    expect(status).toMatchObject({
      runtimeStatus: 'Completed',
      output: [0, 1, 2, 3, 'e3', 4, 5, 6, 7, 'e7', 8, 9, 10, 11, 'e11'],
    });
  }
  const runs = journalLines(journal);
  // Every step ran; those in flight at a kill ran again, and no others: far fewer than a whole start over.
  expect(new Set(runs).size).toBe(chains * 13);
  expect(runs.length).toBeLessThan(chains * 13 * 1.5);
});
