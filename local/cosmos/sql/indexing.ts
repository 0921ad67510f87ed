// What an indexing policy says of a query. Answers never depend on it; what the service refuses for want of an index does.
import { type Json, member } from '../json.ts';
import { pathNames } from '../partition/key.ts';

/** Whether ORDER BY may use a path: the longest included or excluded path that covers it decides. */
export function isIndexed(policy: Json | undefined, path: string): boolean {
  if (member(policy, 'indexingMode') === 'none') return false;
  const included = longest(member(policy, 'includedPaths'), path);
  const excluded = longest(member(policy, 'excludedPaths'), path);
  return excluded === 0 || included > excluded;
}

/** `/a/?` covers `/a`, and `/a/*` all below `/a`; how much of a path the best of them names, and 0 if none covers it. */
function longest(paths: Json | undefined, path: string): number {
  if (!Array.isArray(paths)) return 0;
  const names = pathNames(path);
  const lengths = paths.map((entry) => {
    const pattern = pathNames(String(member(entry, 'path') ?? ''));
    const ending = pattern.pop();
    const isPrefix = pattern.every((name, at) => name === names[at]);
    const covers = isPrefix && (ending === '*' || (ending === '?' && pattern.length === names.length));
    return covers ? pattern.length + (ending === '?' ? 2 : 1) : 0;
  });
  return Math.max(0, ...lengths);
}

/** Whether an indexing policy has a composite index that serves these sort keys, in this direction or reversed. */
export function hasCompositeIndex(policy: Json | undefined, keys: { path: string; isDescending: boolean }[]): boolean {
  const indexes = member(policy, 'compositeIndexes');
  if (!Array.isArray(indexes)) return false;
  return indexes.some((composite) => {
    if (!Array.isArray(composite) || composite.length !== keys.length) return false;
    const directions = keys.map(({ path, isDescending }, at) => {
      const entry = composite[at];
      if (member(entry, 'path') !== path) return undefined;
      return (member(entry, 'order') === 'descending') === isDescending;
    });
    return directions[0] !== undefined && directions.every((same) => same === directions[0]);
  });
}
