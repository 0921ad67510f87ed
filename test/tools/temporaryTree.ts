// A throw-away tree of files inside the repository, so that packages resolve as they do for real code.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export const repository = join(import.meta.dirname, '..', '..');

/** Writes the files below a new directory, which goes when the test ends, and returns its path. */
export function temporaryTree(files: Record<string, string>): string {
  const parent = join(repository, '.landfall');
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, 'tools-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
