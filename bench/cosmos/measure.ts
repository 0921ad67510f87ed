// One operation, again and again for a while, by so many at once.
import { cpuOf } from '../replication/measured.ts';
import type { Row } from './row.ts';

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** So many at the least, to warm up and to be measured: what is not compiled yet costs several times as much. */
const least = 200;

/** `work` gets the number of its lane and of its turn. A tenth of the time is warming up, and not counted. */
export async function measure(
  what: string,
  serverPid: number,
  { seconds, lanes = 1 }: { seconds: number; lanes?: number },
  work: (lane: number, turn: number) => Promise<unknown>,
): Promise<Row> {
  const run = async (until: number, latencies: number[]): Promise<void> => {
    const inLane = async (lane: number): Promise<void> => {
      while (performance.now() < until || latencies.length < least) {
        const began = performance.now();
        await work(lane, turns++);
        latencies.push(performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, lane) => inLane(lane)));
  };
  let turns = 0;
  await run(performance.now() + seconds * 100, []);
  const latencies: number[] = [];
  const [began, client, server] = [performance.now(), ownCpu(), cpuOf(serverPid)];
  await run(began + seconds * 1000, latencies);
  const took = (performance.now() - began) / 1000;
  const row = {
    what,
    operations: latencies.length,
    seconds: took,
    ...percentiles(latencies),
    clientCpuSeconds: ownCpu() - client,
    serverCpuSeconds: cpuOf(serverPid) - server,
  };
  console.error(`${what}: ${(row.operations / took).toFixed(0)}/s`);
  return row;
}

/** The same of work that waits for nothing, in this process alone. */
export function measureAlone(what: string, seconds: number, work: (turn: number) => void): Row {
  let turns = 0;
  const run = (until: number, latencies: number[]): void => {
    while (performance.now() < until) {
      const began = performance.now();
      work(turns++);
      latencies.push(performance.now() - began);
    }
  };
  run(performance.now() + seconds * 100, []);
  const latencies: number[] = [];
  const [began, cpu] = [performance.now(), ownCpu()];
  run(began + seconds * 1000, latencies);
  const took = (performance.now() - began) / 1000;
  const figures = { operations: latencies.length, seconds: took, ...percentiles(latencies) };
  return { what, ...figures, clientCpuSeconds: ownCpu() - cpu, serverCpuSeconds: undefined };
}

function percentiles(latencies: number[]): { p50: number; p99: number } {
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
