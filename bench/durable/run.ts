// The bench: every engine and every n in a fresh process, engines taking turns over the rounds, one table at the end.
// Usage: node bench/durable/run.ts [--rounds 3] [--n 1,200,1000,10000] [--only ours] [--dir <on a real disk>] [--fsyncs]
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { defaultDirectory, useDataDirectory } from './directory.ts';
import { candidates, runOnce } from './engines.ts';
import { countFsyncs, straceWorks } from './fsyncs.ts';
import { describeMachine, describeMoment } from './machine.ts';
import { formatRow, formatTable } from './report.ts';
import { medians } from '../table.ts';
import type { Row } from './row.ts';
import { wantedLines } from './wanted.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    n: { type: 'string', default: '1,200,1000,10000' },
    only: { type: 'string', default: '' },
    dir: { type: 'string', default: defaultDirectory },
    fsyncs: { type: 'boolean', default: false },
  },
});
const count = z.coerce.number().int().positive();
const rounds = count.parse(values.rounds);
const sizes = z.array(count).parse(values.n.split(','));
const chosen = candidates.filter(({ name }) => name.startsWith(values.only));
if (chosen.length === 0) throw new Error(`--only: none of ${candidates.map(({ name }) => name).join(', ')}.`);

const directory = useDataDirectory(values.dir);
const groups = new Map<string, [Row, ...Row[]]>();
const key = (name: string, n: number) => `${name} ${n}`;
const say = (line: string) => console.info(line);

// An exit handler ends the child that is being measured.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.fsyncs) await fsyncs();
else await bench();

async function bench(): Promise<void> {
  const machine = describeMachine(directory);
  for (let round = 1; round <= rounds; round++) {
    machine.push(describeMoment(`before round ${round}`, directory));
    for (const n of sizes) {
      for (const candidate of chosen.filter(({ most }) => n <= most)) {
        const row = await runOnce(candidate, n, directory);
        console.error(`round ${round}: ${formatRow(row)}`);
        const group = groups.get(key(candidate.name, n));
        if (group) group.push(row);
        else groups.set(key(candidate.name, n), [row]);
      }
    }
  }
  machine.push(describeMoment('at the end', directory));
  const ordered = chosen
    .flatMap(({ name }) => sizes.map((n) => groups.get(key(name, n))))
    .filter((group) => group !== undefined);
  const dupSteps = ordered.flat().reduce((sum, row) => sum + row.dupSteps, 0);
  say(formatTable(ordered));
  say('');
  for (const line of machine) say(`- ${line}`);
  say(`- dupSteps ${dupSteps} (activities that ran more than once)`);
  const lookup = (name: string, n: number) => {
    const group = groups.get(key(name, n));
    return group && medians(group);
  };
  for (const line of wantedLines(lookup)) say(`- ${line}`);
  if (dupSteps > 0) process.exitCode = 1;
}

async function fsyncs(): Promise<void> {
  if (!straceWorks()) throw new Error('--fsyncs needs strace, and the right to trace; the table does without.');
  for (const candidate of chosen.filter(({ durable }) => durable)) {
    for (const n of sizes.filter((size) => size <= candidate.most)) say(await countFsyncs(candidate, n, directory));
  }
}
