// Loads modules anew in a process that has loaded them before. ES modules cannot be unloaded, so the app's own files get
// URLs with a version, which what they import inherits; CommonJS modules leave the cache. The memory of earlier versions
// is never given back. An ES module that CommonJS code pulls in stays as it was first.
import { createRequire, registerHooks } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const parameter = 'landfall-version';
const inUrl = new RegExp(`\\?${parameter}=(\\d+)`);
// These keep what an app told them (setup is possible only before the start), so each version of it gets its own.
const libraries = /[\\/]node_modules[\\/](?:@azure[\\/]functions|durable-functions)[\\/]/;

const packages = `${sep}node_modules${sep}`;

let last = 0;
const roots = new Map<number, string>();
let isInstalled = false;

/** Runs `load` with an import function for which nothing below `directory`, except packages, was loaded before. */
export async function freshModules<T>(
  directory: string,
  load: (importFresh: (url: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  install();
  const version = ++last;
  roots.set(version, directory);
  const { cache } = createRequire(import.meta.url);
  const old = Object.entries(cache).filter(([file]) => isFresh(file, directory));
  for (const [file] of old) delete cache[file];
  try {
    return await load((url) => import(/* @vite-ignore */ `${url}?${parameter}=${version}`));
  } catch (error) {
    for (const file of Object.keys(cache)) if (isFresh(file, directory)) delete cache[file];
    for (const [file, module] of old) cache[file] = module;
    throw error;
  }
}

/** A text about modules, as people know them. */
export const withoutVersion = (text: string): string => text.replaceAll(new RegExp(inUrl, 'g'), '');

const isFresh = (file: string, directory: string): boolean =>
  libraries.test(file) || (file.startsWith(directory + sep) && !file.includes(packages, directory.length));

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const version = inUrl.exec(context.parentURL ?? '')?.[1];
      const root = version === undefined ? undefined : roots.get(Number(version));
      if (root === undefined || !resolved.url.startsWith('file:') || resolved.url.includes('?')) return resolved;
      if (!isFresh(fileURLToPath(resolved.url), root)) return resolved;
      return { ...resolved, url: `${resolved.url}?${parameter}=${version}` };
    },
  });
}
