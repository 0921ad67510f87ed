// Periods between instants: joined, and with others cut out of them.
import type { Opening } from '../model/window.ts';

/** The same time as the fewest periods: ascending, disjoint, those that touch are one. */
export function merged(periods: readonly Opening[]): Opening[] {
  const result: Opening[] = [];
  for (const { opens, closes } of periods.toSorted((a, b) => ascending(a.opens, b.opens))) {
    const last = result.at(-1);
    if (last === undefined || last.closes < opens) result.push({ opens, closes });
    else if (last.closes < closes) last.closes = closes;
  }
  return result;
}

/** What of disjoint periods lies in none of the others. */
export function without(periods: readonly Opening[], others: readonly Opening[]): Opening[] {
  const cuts = merged(others);
  return periods.flatMap(({ opens, closes }) => {
    const left: Opening[] = [];
    let at = opens;
    for (const cut of cuts) {
      if (cut.closes <= at || cut.opens >= closes) continue;
      if (cut.opens > at) left.push({ opens: at, closes: cut.opens });
      at = cut.closes;
    }
    return at < closes ? [...left, { opens: at, closes }] : left;
  });
}

function ascending(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
