// Rows as a Markdown table, and what they were wanted to reach.
import { short, table } from '../table.ts';
import { sizes } from './documents.ts';
import { names } from './operations.ts';
import type { Row } from './row.ts';

const microseconds = (cpuSeconds: number, { operations }: Row): number => (cpuSeconds / operations) * 1e6;

const headings = [
  '',
  'a second',
  'p50 ms',
  'p99 ms',
  'CPU µs of the client',
  'CPU µs of the server',
  'server / client',
];

export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { what, operations, seconds, p50, p99, clientCpuSeconds, serverCpuSeconds } = row;
    return [
      what,
      short(operations / seconds),
      short(p50),
      short(p99),
      short(microseconds(clientCpuSeconds, row)),
      serverCpuSeconds === undefined ? '' : short(microseconds(serverCpuSeconds, row)),
      serverCpuSeconds === undefined ? '' : short(serverCpuSeconds / clientCpuSeconds),
    ];
  });
  return table(headings, lines);
}

export function wantedLines(rows: readonly Row[]): string[] {
  const find = (what: string): Row | undefined => rows.find((row) => row.what === what);
  const rate = (what: string): number => {
    const row = find(what);
    return row ? row.operations / row.seconds : Number.NaN;
  };
  const through = rows.filter(({ serverCpuSeconds }) => serverCpuSeconds !== undefined);
  const dearer = through.filter((row) => Number(row.serverCpuSeconds) >= row.clientCpuSeconds).map(({ what }) => what);
  const [small, large] = sizes.map((size) => find(names.selective(size))?.p50 ?? Number.NaN);
  const times = Number(large) / Number(small);
  const line = (what: string, value: string, isMet: boolean): string =>
    `${what}: ${value} (${isMet ? 'met' : 'NOT MET'})`;
  return [
    line('upserts with If-Match a second, wanted at least 1500', short(rate(names.upsert)), rate(names.upsert) >= 1500),
    line(
      `a selective query among ${sizes[1]} documents / among ${sizes[0]} (p50), wanted at most 2`,
      short(times),
      times <= 2,
    ),
    line('server CPU below the client’s own, wanted for all', dearer.join('; ') || 'all', dearer.length === 0),
  ];
}
