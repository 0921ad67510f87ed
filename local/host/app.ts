// Loads a Functions app as the Node worker does: `package.json#main` is one glob of entry files, all imported. A file
// that throws is reported and nothing of it runs, not even what it had registered before; the other files run.
import { globSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collect, installCoreModule, lastRead, Registrations } from './coreModule.ts';
import { freshModules, withoutVersion } from './freshModules.ts';
import { pathIn, placed, placeIn } from './place.ts';
import { inTime } from './within.ts';

// A module may await something that never comes, and nothing else of the app could be loaded.
const loadingMilliseconds = 60_000;
const endless = () =>
  new Error(`it was still loading after ${loadingMilliseconds / 1000} s. Does it await something that does not come?`);

const loaded = new Map<string, Promise<Registrations>>();
let last: Promise<unknown> = Promise.resolve();

/** The app's registrations; imports the app at the first call in this process. Rejects when no function is left. */
export function loadApp(appDirectory: string): Promise<Registrations> {
  const known = loaded.get(appDirectory);
  if (known) return known;
  const loading = inTurn(() => load(appDirectory, (url) => import(/* @vite-ignore */ url)));
  loaded.set(appDirectory, loading);
  return loading;
}

/** Imports the app's files anew, as they are now. What was loaded before stays as it is. */
export function reloadApp(appDirectory: string): Promise<Registrations> {
  return inTurn(() => freshModules(realpathSync(appDirectory), (importFresh) => load(appDirectory, importFresh)));
}

// The library registers into one place for the whole process.
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}

async function load(appDirectory: string, importFile: (url: string) => Promise<unknown>): Promise<Registrations> {
  installCoreModule();
  const files = entryFiles(appDirectory);
  const app = new Registrations();
  for (const file of files) {
    try {
      const own = await collect(async () => {
        await inTime(loadingMilliseconds, importFile(pathToFileURL(file).href), endless);
      });
      merge(app, own, appDirectory);
    } catch (error) {
      app.errors.push({ file, reason: reasonOf(error, appDirectory) });
    }
  }
  if (app.functions.size > 0) return app;
  if (app.errors.length === 0) throw new Error(`Loading ${files.join(', ')} registered no function.`);
  throw new Error(app.errors.map(describeLoadError).join('\n'));
}

/** One line for people. */
export function describeLoadError(error: Registrations['errors'][number]): string {
  return 'file' in error ? `Loading ${error.file} failed: ${error.reason}` : error.reason;
}

function merge(app: Registrations, own: Registrations, appDirectory: string): void {
  const twice = [...own.functions.keys()].find((name) => app.functions.has(name));
  if (twice !== undefined) throw new RangeError(`Function "${twice}" is registered twice.`);
  for (const [name, { metadata, callback, stack }] of own.functions)
    app.functions.set(name, { metadata, callback, place: placeIn(appDirectory, stack) });
  for (const name of hookNames(own)) app.hooks[name].push(...own.hooks[name]);
  app.model = own.model ?? app.model;
}

const hookNames = (registrations: Registrations) =>
  Object.keys(registrations.hooks) as (keyof Registrations['hooks'])[];

/** The message and the place in the app that it is about, as far as the stack tells it. */
function reasonOf(error: unknown, appDirectory: string): string {
  if (!(error instanceof Error)) return String(error);
  const message = withoutVersion(error.message);
  // Of a syntax error in JavaScript the stack tells nothing; the file was the last one read.
  const place =
    placeIn(appDirectory, error.stack) ?? (error instanceof SyntaxError ? pathIn(appDirectory, lastRead()) : undefined);
  return placed(message, place);
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
