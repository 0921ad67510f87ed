// Measures one engine in this process: 20 workflows to warm up, then n at once (n = 1: thirty, one after another).
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { formatRow } from './report.ts';
import type { Row } from './row.ts';
import { journal, steps, type Engine } from './workload.ts';

const warmUp = 20;
const oneAfterAnother = 30;
// Linux counts a process's CPU time in ticks of 1/100 s for user space, on every architecture that Node supports.
const millisecondsPerTick = 10;
const sampleEvery = 250;

const ids = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

/** Runs the workload, hands the row to the parent process or prints it as a line, and ends the process. */
export async function measure(
  name: { engine: string; durability: string },
  n: number,
  start: () => Promise<Engine>,
): Promise<void> {
  if (!Number.isInteger(n) || n < 1) throw new Error('n must be 1 or more.');
  // Exit handlers remove data and end servers; they run neither after a signal nor when the parent is gone.
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.once(signal, () => process.exit(1));
  const engine = await start();
  await journal.run(engine, ids('warm', warmUp), true);
  journal.reset();
  const workflows = n === 1 ? oneAfterAnother : n;

  const memory = new PeakMemory(engine.serverPid);
  const cpuBefore = cpuMilliseconds(engine.serverPid);
  const from = Date.now();
  const began = performance.now();
  await journal.run(engine, ids('run', workflows), n > 1);
  const seconds = (performance.now() - began) / 1000;
  const to = Date.now();
  const cpu = cpuMilliseconds(engine.serverPid) - cpuBefore;
  const { node, server } = await memory.stop();
  await engine.stop();

  const stepLatencies = journal.stepLatencies();
  const eventLatencies = journal.eventLatencies();
  const row: Row = {
    ...name,
    n,
    workflows,
    workflowsPerSecond: workflows / seconds,
    stepsPerSecond: (workflows * steps) / seconds,
    stepP50: percentile(stepLatencies, 0.5),
    stepP99: percentile(stepLatencies, 0.99),
    eventP50: percentile(eventLatencies, 0.5),
    eventP99: percentile(eventLatencies, 0.99),
    cpuPerStep: cpu / (workflows * steps),
    nodeMegabytes: node,
    serverMegabytes: server,
    dupSteps: journal.dupSteps,
    from,
    to,
  };
  if (process.send) process.send(row, () => process.exit());
  else process.stdout.write(`${formatRow(row)}\n`, () => process.exit());
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** User and system time of this process and, if there is one, of the server. */
function cpuMilliseconds(serverPid: number | undefined): number {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1000;
  if (serverPid === undefined) return own;
  // proc_pid_stat(5): the command in parentheses may hold blanks; utime and stime are the 12th and 13th field after it.
  const fields = readFileSync(`/proc/${serverPid}/stat`, 'utf8')
    .replace(/^.*\)\s/s, '')
    .split(' ');
  return own + (Number(fields[11]) + Number(fields[12])) * millisecondsPerTick;
}

/** Samples the proportional set size, which counts shared pages once over all processes that share them. */
class PeakMemory {
  readonly #serverPid: number | undefined;
  readonly #timer: NodeJS.Timeout;
  #node = 0;
  #server = 0;
  #sampling: Promise<void> | undefined;

  constructor(serverPid: number | undefined) {
    this.#serverPid = serverPid;
    this.#timer = setInterval(() => this.#sampleUnlessBusy(), sampleEvery);
  }

  async stop(): Promise<{ node: number; server: number }> {
    clearInterval(this.#timer);
    await this.#sampling;
    await this.#sample();
    return { node: this.#node, server: this.#server };
  }

  #sampleUnlessBusy(): void {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined;
    });
  }

  async #sample(): Promise<void> {
    this.#node = Math.max(this.#node, await megabytes('self'));
    if (this.#serverPid !== undefined) this.#server = Math.max(this.#server, await megabytes(this.#serverPid));
  }
}

async function megabytes(pid: number | 'self'): Promise<number> {
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}
