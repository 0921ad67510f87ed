// Loads a Functions app as the Node worker does: `package.json#main` is one glob of entry files, all imported; a file
// that throws stops the app, and the error names the file.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collect, installCoreModule, type Registrations } from './coreModule.ts';

const loaded = new Map<string, Promise<Registrations>>();

/** The app's registrations; imports the app at the first call in this process. */
export function loadApp(appDirectory: string): Promise<Registrations> {
  const known = loaded.get(appDirectory);
  if (known) return known;
  const loading = load(appDirectory);
  loaded.set(appDirectory, loading);
  return loading;
}

async function load(appDirectory: string): Promise<Registrations> {
  installCoreModule();
  const files = entryFiles(appDirectory);
  const registrations = await collect(async () => {
    for (const file of files) {
      try {
        await import(/* @vite-ignore */ pathToFileURL(file).href);
      } catch (error) {
        throw new Error(`Loading ${file} failed: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  });
  if (registrations.functions.size === 0) throw new Error(`Loading ${files.join(', ')} registered no function.`);
  return registrations;
}

function entryFiles(appDirectory: string): string[] {
  const manifestFile = join(appDirectory, 'package.json');
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  } catch (error) {
    throw new Error(`${manifestFile} cannot be read: ${String(error)}`, { cause: error });
  }
  const main = typeof manifest === 'object' && manifest !== null && 'main' in manifest ? manifest.main : undefined;
  if (typeof main !== 'string')
    throw new Error(`${manifestFile} has no "main"; it must name the app's entry file or files.`);
  const files = globSync(main, { cwd: appDirectory }).sort();
  if (files.length === 0) throw new Error(`${manifestFile}: "main" (${main}) matches no file.`);
  return files.map((file) => join(appDirectory, file));
}
