// A report for people.
import type { SeedReport } from './report.ts';
import type { Interval } from './stepClock.ts';

const pad = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows.reduce<number[]>(
    (sofar, row) => row.map((cell, index) => Math.max(cell.length, sofar[index] ?? 0)),
    [],
  );
  return rows.map((row) => `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd());
};

/** Seconds as people say them, such as `1 h 05 min`. */
function spell(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

const clock = (instant: string): string => instant.slice(5, 16).replace('T', ' ');
const row = ({ who, step, from, to, seconds }: Interval): string[] => [
  who,
  step,
  clock(from),
  clock(to),
  spell(seconds),
];

/** One seed in full. */
export function tellSeed(report: SeedReport): string {
  const { seed, waves, workloads, from, to, story, deeds, downtimes, steps, criticalPath, findings } = report;
  const lasted = spell(Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  return [
    `Seed ${seed}: ${Object.entries(waves)
      .map(([id, status]) => `${id} ${status}`)
      .join(', ')} after ${lasted}`,
    `  ${Object.entries(workloads)
      .map(([id, phase]) => `${id} ${phase}`)
      .join(', ')}`,
    ...section(
      'What was to happen',
      story.map((line) => `  ${line}`),
    ),
    ...section(
      'What people did',
      deeds.map((line) => `  ${line}`),
    ),
    ...section('Steps', pad(steps.map(row))),
    ...section(
      'Downtime',
      pad(
        downtimes.map(({ who, from: began, seconds, window }) => [
          who,
          clock(began),
          seconds === undefined ? 'until the end' : spell(seconds),
          `${window} its window`.replace('overrun its', 'past the end of its'),
        ]),
      ),
    ),
    ...section('Critical path', pad(criticalPath.map(row))),
    ...section(
      'BROKEN',
      findings.map(
        ({ invariant, what, at, transition }) => `  ${invariant}: ${what} (${at}, transition ${transition})`,
      ),
    ),
    ...(findings.length > 0 ? [`  tell it again: ${report.again}`] : []),
    '',
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `  ${line}`)];

/** Many seeds: how they ended, and each one that broke something. */
export function tellAll(reports: readonly SeedReport[]): string {
  const ends = new Map<string, number>();
  for (const { waves } of reports)
    for (const status of Object.values(waves)) ends.set(status, (ends.get(status) ?? 0) + 1);
  const broken = reports.filter(({ findings }) => findings.length > 0);
  const longest = reports
    .flatMap(({ downtimes }) => downtimes.flatMap(({ seconds }) => seconds ?? []))
    .sort((a, b) => b - a)[0];
  const past = reports.filter(({ downtimes }) => downtimes.some(({ window }) => window !== 'inside')).length;
  return [
    `${reports.length} seeds, from ${reports[0]?.seed} to ${reports.at(-1)?.seed}`,
    ...pad([...ends].map(([status, count]) => [status, String(count)])),
    ...(longest === undefined ? [] : [`  longest downtime: ${spell(longest)}; not inside the window in ${past} seeds`]),
    ...broken.map((report) => `\n${tellSeed(report)}`),
    broken.length === 0
      ? 'Every invariant held at every transition, and every story came to a legal end.'
      : `${broken.length} seeds broke something.`,
    '',
  ].join('\n');
}
