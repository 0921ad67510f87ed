// Notices that files of an app have changed: code and JSON in its folder, and what host.json adds
// (watchDirectories and watchFiles of https://learn.microsoft.com/azure/azure-functions/functions-host-json).
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export interface WatchOptions {
  appDirectory: string;
  /** Folders in which the host itself writes. */
  ignored: readonly string[];
  watchDirectories: readonly string[];
  watchFiles: readonly string[];
}

const code = /\.(?:[cm]?[jt]s|json)$/;
const notTheApp = /^(?:node_modules|dist|\..*)$/;

/** Calls `changed` for each change; answers how to end it. */
export function watchApp(options: WatchOptions, changed: () => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  const ignored = new Set(options.ignored.map((directory) => resolve(directory)));
  const names = new Set(options.watchFiles.map((file) => basename(file)));

  const add = (directory: string): void => {
    if (watchers.has(directory) || ignored.has(directory)) return;
    const watcher = watch(directory, (_, name) => {
      if (name === null) return changed();
      const path = join(directory, name);
      if (code.test(name) || names.has(name)) changed();
      else if (isFolderOfApp(name, path)) {
        // What was written into a new folder before it was watched is new too.
        add(path);
        changed();
      }
    });
    // A folder that goes away takes its watcher with it.
    watcher.on('error', () => watcher.close()).on('close', () => watchers.delete(directory));
    watchers.set(directory, watcher);
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory() && !notTheApp.test(entry.name)) add(join(directory, entry.name));
  };

  const isFolderOfApp = (name: string, path: string): boolean =>
    !notTheApp.test(name) && !watchers.has(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

  add(resolve(options.appDirectory));
  for (const directory of options.watchDirectories) add(resolve(options.appDirectory, directory));
  return () => {
    for (const watcher of watchers.values()) watcher.close();
  };
}
