// What is compared, and one measurement of it in a fresh process.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { nodeFlags } from '../../local/nodeFlags.ts';
import { Row } from './row.ts';

export interface Candidate {
  name: string;
  script: string;
  args: string[];
  /** Node's, where the product starts it with some. */
  flags?: readonly string[];
  /** Keeps its data on disk. */
  durable: boolean;
  /** The largest n that is measured. */
  most: number;
}

export const candidates: Candidate[] = [
  { name: 'ours-memory', script: 'ours.ts', args: ['memory'], flags: nodeFlags, durable: false, most: 10_000 },
  { name: 'durabletask-js', script: 'durabletask.ts', args: [], durable: false, most: 1000 },
  { name: 'ours-durable', script: 'ours.ts', args: ['durable'], flags: nodeFlags, durable: true, most: 10_000 },
  { name: 'restate-promises', script: 'restate.ts', args: ['promises'], durable: true, most: 1000 },
  { name: 'restate-awakeables', script: 'restate.ts', args: ['awakeables'], durable: true, most: 1000 },
];

const withinMilliseconds = 10 * 60_000;

/** Measures in a new process, started by `wrapper` (a command and its arguments) where one is given. */
export async function runOnce(
  candidate: Candidate,
  n: number,
  directory: string,
  wrapper: readonly string[] = [],
): Promise<Row> {
  const script = join(import.meta.dirname, candidate.script);
  const args = [...candidate.args, String(n), ...(candidate.durable ? [directory] : [])];
  const [command = process.execPath, ...rest] = [
    ...wrapper,
    process.execPath,
    ...(candidate.flags ?? []),
    script,
    ...args,
  ];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const stop = () => child.kill('SIGTERM');
  process.on('exit', stop);
  const timeout = setTimeout(stop, withinMilliseconds);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  let message: unknown;
  child.on('message', (value) => {
    message = value;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timeout);
  process.off('exit', stop);
  if (code !== 0) throw new Error(`${candidate.name} with n=${n} failed (exit code ${code}):\n${said}`);
  return Row.parse(message);
}
