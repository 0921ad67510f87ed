// Rows as a Markdown table: medians over the rounds, and the best time.
import { medians, short, table } from '../table.ts';
import type { Row } from './row.ts';

const mb = (bytes: number | undefined): string => (bytes === undefined ? '' : short(bytes / 1e6));

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
  return table(headings, lines);
}
