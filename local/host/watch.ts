// Notices that files of an app have changed: code and JSON in its folder, and what host.json adds
// (watchDirectories and watchFiles of https://learn.microsoft.com/azure/azure-functions/functions-host-json).
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';

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
    const watcher = watch(directory, (event, name) => {
      if (name === null || code.test(name) || names.has(name)) changed();
      else if (event === 'rename' && !notTheApp.test(name)) folderChanged(join(directory, name));
    });
    watcher.on('error', () => watcher.close());
    watchers.set(directory, watcher);
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory() && !notTheApp.test(entry.name)) add(join(directory, entry.name));
  };

  // A folder that came may be another one under a known name, and files may have come with it.
  const folderChanged = (path: string): void => {
    for (const [directory, watcher] of watchers) {
      if (directory !== path && !directory.startsWith(path + sep)) continue;
      watcher.close();
      watchers.delete(directory);
    }
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    try {
      add(path);
    } catch {
      // It has gone again; that is an event as well.
    }
    changed();
  };

  add(resolve(options.appDirectory));
  for (const directory of options.watchDirectories) add(resolve(options.appDirectory, directory));
  return () => {
    for (const watcher of watchers.values()) watcher.close();
  };
}
