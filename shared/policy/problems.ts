/** One thing that is wrong with a definition: where, what was found, why it can't be, and what would do. */
export interface Problem {
  /** Such as `groups[0].workloads[1].source`. */
  path: string;
  value: unknown;
  message: string;
  fix: string;
}

const longestValue = 200;

/** A problem as one line: where, what was found, why that cannot be, and what would do. `whole` is what has no path. */
export function lineOf(
  { path, value, message, fix }: Omit<Problem, 'value'> & { value?: unknown },
  whole: string,
): string {
  const found = value === undefined ? '' : ` (${shorten(JSON.stringify(value), longestValue)})`;
  return `${path || whole}${found}: ${fix === message ? fix : `${message}; ${fix}`}`;
}

/** At most so many characters of a text, and a sign that there are more. */
export const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

/** A path as people write it in JavaScript. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

/** How many mistyped names are compared with all known ones: of ten thousand that would take minutes. */
export const suggestionsAtMost = 20;

/** The one of `known` that a mistyped name probably means; of one that is known, only not where it stands, the nearest. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  const limit = name.length <= 4 || all.includes(name) ? 1 : 2;
  let best: { name: string; distance: number } | undefined;
  for (const candidate of all) {
    if (candidate === name) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
