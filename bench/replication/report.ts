// Rows as a Markdown table: medians over the rounds, and the best time.
import type { Row } from './row.ts';

const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const mb = (bytes: number | undefined): string => (bytes === undefined ? '' : short(bytes / 1e6));

/** The runs of one contender as one row: each figure is the median over the runs. */
export function medians(runs: readonly [Row, ...Row[]]): Row {
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

const headings = [
  '',
  'seconds (best)',
  'MB/s',
  'CPU s',
  'CPU s of the endpoint',
  'peak MB',
  'MB read',
  'MB written',
  'requests',
  'requests/s',
];

export function formatTable(groups: readonly (readonly [Row, ...Row[]])[]): string {
  const lines = groups.map((runs) => {
    const row = medians(runs);
    const { requests = 0 } = row;
    return [
      row.what,
      `${short(row.seconds)} (${short(Math.min(...runs.map(({ seconds }) => seconds)))})`,
      mb(row.bytes / row.seconds),
      short(row.cpuSeconds),
      row.serverCpuSeconds > 0 ? short(row.serverCpuSeconds) : '',
      row.megabytes.toFixed(0),
      mb(row.readBytes),
      mb(row.writtenBytes),
      requests > 0 ? requests.toFixed(0) : '',
      requests > 0 ? short(requests / row.seconds) : '',
    ];
  });
  return [headings, headings.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
