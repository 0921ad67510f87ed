// One operation, timed on both sides.
import { cpuOf } from '../replication/measured.ts';

export interface Row {
  what: string;
  count: number;
  seconds: number;
  clientCpuSeconds: number;
  serverCpuSeconds: number;
  note?: string;
}

/** Runs `work`, which returns how many it did and perhaps a note. */
export async function measure(
  what: string,
  serverPid: number,
  work: () => Promise<{ count: number; note?: string }>,
): Promise<Row> {
  const server = cpuOf(serverPid);
  const client = process.cpuUsage();
  const began = performance.now();
  const { count, note } = await work();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(client);
  const serverCpuSeconds = cpuOf(serverPid) - server;
  return { what, count, seconds, clientCpuSeconds: (user + system) / 1e6, serverCpuSeconds, ...(note && { note }) };
}

/** Calls `each` until the time is over, `inFlight` at once. */
export async function forSeconds(seconds: number, inFlight: number, each: () => Promise<number>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      // Not in one expression: the sum would be read before the wait.
      const done = await each();
      count += done;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return count;
}
