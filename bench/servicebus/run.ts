// The bench: the ceiling's server and then the broker, each in a process of its own, and this process as their client.
// Usage: node bench/servicebus/run.ts [--seconds 2] [--dir <on a real disk>]
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { useDataDirectory } from '../durable/directory.ts';
import { describeMachine, describeMoment } from '../durable/machine.ts';
import { runCeilings } from './ceilings.ts';
import type { Row } from './measure.ts';
import { runOperations } from './operations.ts';
import { commitOneByOne } from './flush.ts';
import { formatTable, wantedLines } from './report.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' }, dir: { type: 'string' } } });
const seconds = z.coerce.number().positive().parse(values.seconds);
const directory = values.dir === undefined ? useDataDirectory() : useDataDirectory(values.dir);
// An exit handler removes the data.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** What a server tells of itself when it answers. */
const Ready = z.object({ pid: z.int(), endpoint: z.string() });

async function serve(file: string, ...args: string[]): Promise<{ child: ChildProcess; port: number; pid: number }> {
  const path = join(import.meta.dirname, file);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  process.on('exit', () => child.kill());
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { pid, endpoint } = Ready.parse(JSON.parse(line));
  return { child, port: Number(new URL(endpoint).port), pid };
}

const config = join(directory, 'Config.json');
writeFileSync(
  config,
  JSON.stringify({
    Queues: [{ Name: 'plain' }, { Name: 'sessions', Properties: { RequiresSession: true } }],
    AuthorizationRules: [{ KeyName: 'root', Key: 'k', Rights: ['Manage'] }],
  }),
);
const broker = ['local', 'servicebus', '--port', '0', '--data', join(directory, 'broker'), '--config', config];

const rows: Row[] = [];
const keep = (row: Row): void => {
  console.error(`${row.what}: ${(row.count / row.seconds).toFixed(0)}/s`);
  rows.push(row);
};
const machine = describeMachine(directory);
machine.push(describeMoment('before', directory));
keep(commitOneByOne(directory, seconds));
for (const [file, args, measureAll] of [
  ['bare.ts', [], runCeilings],
  ['../../cli/main.ts', broker, runOperations],
] as const) {
  const { child, port, pid } = await serve(file, ...args);
  await measureAll(port, pid, seconds, keep);
  const gone = once(child, 'exit');
  child.kill();
  await gone;
}
machine.push(describeMoment('after', directory));

console.info(formatTable(rows));
console.info('');
for (const line of [...machine, ...wantedLines(rows)]) console.info(`- ${line}`);
process.exit(0);
