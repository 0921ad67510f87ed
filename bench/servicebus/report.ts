// Rows as a Markdown table, and what was wanted of them.
import { table } from '../table.ts';
import { bareSend } from './ceilings.ts';
import { what as flushAlone } from './flush.ts';
import type { Row } from './measure.ts';

const perSecond = ({ count, seconds }: Row): number => count / seconds;
const micros = (cpuSeconds: number, count: number): number => (cpuSeconds * 1e6) / count;

const headings = [
  '',
  'per second',
  'server CPU, µs each',
  'client CPU, µs each',
  'server to client',
  'both busy, cores',
  '',
];

export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what,
    perSecond(row).toFixed(0),
    micros(row.serverCpuSeconds, row.count).toFixed(0),
    ...(row.clientCpuSeconds === 0
      ? ['', '']
      : [micros(row.clientCpuSeconds, row.count).toFixed(0), (row.serverCpuSeconds / row.clientCpuSeconds).toFixed(2)]),
    ((row.serverCpuSeconds + row.clientCpuSeconds) / row.seconds).toFixed(2),
    row.note ?? '',
  ]);
  return table(headings, lines);
}

/** What the server is held to, and whether it holds. */
export function wantedLines(rows: readonly Row[]): string[] {
  const own = rows.filter(({ what }) => !what.startsWith('ceiling'));
  const costly = own.filter(({ serverCpuSeconds, clientCpuSeconds }) => serverCpuSeconds >= clientCpuSeconds);
  const rateOf = (what: string, wanted: number): string => {
    const row = own.find((each) => each.what.startsWith(what));
    if (!row) return `${what}: not measured`;
    const rate = perSecond(row);
    // What two cores of their own could do: the slower of both sides, each busy all the time.
    const busier = Math.max(row.serverCpuSeconds, row.clientCpuSeconds);
    const alone = row.count / busier;
    return `${what}: ${rate.toFixed(0)}/s of ${wanted} wanted; ${alone.toFixed(0)}/s by the processor time of the busier side, which is the ${row.clientCpuSeconds >= row.serverCpuSeconds ? 'client' : 'server'}`;
  };
  const serverCost = (what: string): number => {
    const row = rows.find((each) => each.what === what);
    return row ? micros(row.serverCpuSeconds, row.count) : Number.NaN;
  };
  const [protocol, flush] = [serverCost(bareSend), serverCost(flushAlone)];
  return [
    `server CPU below the client's: ${costly.length === 0 ? `in all ${own.length}` : `not in ${costly.map(({ what }) => what).join('; ')}`}`,
    `one message at a time costs any server that keeps it at least ${(protocol + flush).toFixed(0)} µs here: ${protocol.toFixed(0)} for the protocol, ${flush.toFixed(0)} for the commit`,
    rateOf('send, 64 in flight', 4000),
    rateOf('send, batches of 100', 15_000),
  ];
}
