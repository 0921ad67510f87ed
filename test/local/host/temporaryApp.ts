// An app written by a test, in a directory of its own.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const imported = "import { app } from '@azure/functions';\n";

/** One entry file, or several files by name of which those in `app/` are entry files. Answers the directory. */
export function app(files: string | Record<string, string>, hostJson: unknown = { version: '2.0' }): string {
  const temporary = mkdtempSync(join(tmpdir(), 'app-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  // What lies below a node_modules is imported by Node itself, not through vitest.
  const directory = join(temporary, 'node_modules', 'app');
  mkdirSync(join(directory, 'app'), { recursive: true });
  symlinkSync(join(import.meta.dirname, '../../../node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', main: 'app/*.mjs' }));
  writeFileSync(join(directory, 'host.json'), JSON.stringify(hostJson));
  for (const [name, text] of Object.entries(typeof files === 'string' ? { 'app/main.mjs': files } : files))
    writeFileSync(join(directory, name), text);
  return directory;
}
