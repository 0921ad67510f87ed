// Where something happened, for people who look for a mistake in an app.
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutVersion } from './freshModules.ts';

const local = dirname(import.meta.dirname) + sep;

/** File and line of the first place in the app that a stack names; undefined when it names none. */
export function placeIn(appDirectory: string, stack: string | undefined): string | undefined {
  for (const { file, line } of framesOf(stack)) {
    const path = pathIn(appDirectory, file);
    if (path !== undefined) return `${path}:${line}`;
  }
  return undefined;
}

/** Whether the local Azure itself did it: of what is no package, its code comes first in the stack. */
export const isOurs = (stack: string | undefined): boolean =>
  framesOf(stack)
    .find(({ file }) => !file.includes('node_modules'))
    ?.file.startsWith(local) ?? false;

/** A reason with its place, where that is known. */
export const placed = (reason: string, place: string | undefined): string =>
  place === undefined ? reason : `${reason} (${place})`;

/** A file of the app by its URL or path, as seen from the app; undefined for what is not the app's own. */
export function pathIn(appDirectory: string, url: string): string | undefined {
  const file = fileOf(url);
  const path = relative(realpathSync(appDirectory), file);
  const isForeign = !isAbsolute(file) || path.startsWith('..') || path.includes('node_modules');
  return isForeign || file.startsWith(local) ? undefined : path;
}

function framesOf(stack = ''): { file: string; line: string }[] {
  const frames = stack.matchAll(/(?:^|\(|at (?:async )?)(file:\/\/[^\s()]+?|\/.+?):(\d+)/gm);
  return [...frames].map(([, url = '', line = '']) => ({ file: fileOf(url), line }));
}

const fileOf = (url: string): string => (url.startsWith('file:') ? fileURLToPath(withoutVersion(url)) : url);
