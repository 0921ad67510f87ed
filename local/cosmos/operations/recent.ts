// What a query has gathered or sorted, kept from one page to the next while nothing is written to its container: a
// continuation token alone would have it done again for every page.
import type { Container } from '../store/catalog.ts';

interface Kept {
  lsn: number;
  results: unknown[];
}

const MAX_KEPT = 8;
const MAX_RESULTS = 20_000;

const kept = new WeakMap<Container, Map<string, Kept>>();

/** The results of the question that `name` stands for, as they were made since the last change. */
export function recent<T>(container: Container, name: string, make: () => T[]): T[] {
  // Items that expire change the answer without a write.
  if (container.defaultTtl !== undefined) return make();
  const all = kept.get(container) ?? new Map<string, Kept>();
  kept.set(container, all);
  const found = all.get(name);
  // A name is always made by the same caller, with results of the same kind.
  if (found?.lsn === container.lsn) return found.results as T[];
  const results = make();
  all.delete(name);
  if (all.size >= MAX_KEPT) all.clear();
  if (results.length <= MAX_RESULTS) all.set(name, { lsn: container.lsn, results });
  return results;
}

/** Lets go of them, once the last page has been given. */
export function forget(container: Container, name: string): void {
  kept.get(container)?.delete(name);
}
