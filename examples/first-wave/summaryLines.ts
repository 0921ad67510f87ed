// The summary as text.
import pc from 'picocolors';
import type { Summary } from './summary.ts';
import { bytes, duration } from './view/format.ts';

export function summaryLines({ wave, status, reason, passed, elapsedMs, workloads, dns, look }: Summary): string[] {
  const verdict = passed
    ? pc.green(`✔ ${wave} committed and every disk is equal to the byte`)
    : pc.red(`✘ ${wave} is ${status}${reason ? `: ${reason}` : ''}`);
  const rows = workloads.map((one) => [
    one.workload,
    one.method,
    bytes(one.initialBytes),
    `${one.deltas} × ${bytes(one.deltas === 0 ? 0 : one.deltaBytes / one.deltas)}`,
    bytes(one.finalBytes),
    one.downtimeMs === undefined ? '–' : duration(one.downtimeMs),
  ]);
  return [
    '',
    `${verdict} ${pc.dim(`(${duration(elapsedMs)})`)}`,
    '',
    ...table([['workload', 'read by', 'initial', 'deltas', 'final', 'downtime'], ...rows]),
    '',
    ...workloads.flatMap(({ workload, disks }) =>
      disks.flatMap(({ disk, source, target, equal, sizeBytes }) => [
        `  ${workload}/${disk}, ${bytes(sizeBytes)}, SHA-256`,
        `    source ${source}`,
        `    target ${target}  ${equal ? pc.green('equal') : pc.red('DIFFERENT')}`,
      ]),
    ),
    '',
    ...dns.map(
      ({ name, before, after }) =>
        `  ${name.padEnd(20)} ${before.join(', ') || 'absent'} → ${after.join(', ') || 'absent'}`,
    ),
    '',
    ...look.map((line) => `  ${line}`),
  ];
}

function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, index) => {
    const text = `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd();
    return index === 0 ? pc.dim(text) : text;
  });
}
