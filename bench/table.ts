// Figures as text, medians over the rounds, and the Markdown table that every bench prints.

/** A figure with about three digits. */
export const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** The runs of one contender as one row: each figure is the median over the runs. */
export function medians<Row extends object>(runs: readonly [Row, ...Row[]]): Row {
  const [first] = runs;
  const median = (figure: keyof Row): number => {
    const sorted = runs.map((run) => Number(run[figure])).sort((a, b) => a - b);
    const middle = sorted.length / 2;
    return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  };
  const figures = Object.entries(first).flatMap(([key, value]) =>
    typeof value === 'number' ? [[key, median(key as keyof Row)]] : [],
  );
  return { ...first, ...Object.fromEntries(figures) };
}

/** A Markdown table. */
export function table(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
