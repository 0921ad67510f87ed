// The bench: every contender on the same disk, cold, one after the other, over the rounds; one table at the end.
// Usage: node bench/replication/run.ts [--gib 10] [--data 1] [--rounds 3] [--pieces 2000] [--memory 1,100] [--dir <on a real disk>]
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { useDataDirectory } from '../durable/directory.ts';
import { describeMachine, describeMoment } from '../durable/machine.ts';
import { carryChanges } from './deltas.ts';
import { makeDisk } from './disks.ts';
import { copyWhole } from './initial.ts';
import { copySparse } from './memory.ts';
import { formatTable } from './report.ts';
import { medians } from '../table.ts';
import type { Row } from './row.ts';
import { wantedLines } from './wanted.ts';

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '10' },
    data: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    pieces: { type: 'string', default: '2000' },
    memory: { type: 'string', default: '1,100' },
    dir: { type: 'string' },
  },
});
const positive = z.coerce.number().positive();
const sizeBytes = Math.floor(positive.parse(values.gib) * 256) * (4 << 20);
const share = positive.max(1).parse(values.data);
const rounds = positive.int().parse(values.rounds);
const pieces = positive.int().parse(values.pieces);
const gibs = values.memory === '' ? [] : z.array(positive.int()).parse(values.memory.split(','));

const directory = values.dir === undefined ? useDataDirectory() : useDataDirectory(values.dir);
// An exit handler removes the data.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const machine = describeMachine(directory);
const path = join(directory, 'disk.img');
const dataBytes = makeDisk(path, sizeBytes, share);
machine.push(
  `a disk of ${(sizeBytes / 2 ** 30).toFixed(1)} GiB, ${(dataBytes / 1e6).toFixed(0)} MB of them random data, the rest holes`,
);

const groups = new Map<string, [Row, ...Row[]]>();
const keep = (rows: Row[]): void => {
  for (const row of rows) {
    console.error(`${row.what}: ${row.seconds.toFixed(2)} s`);
    const group = groups.get(row.what);
    if (group) group.push(row);
    else groups.set(row.what, [row]);
  }
};
for (let round = 1; round <= rounds; round++) {
  machine.push(describeMoment(`before round ${round}`, directory));
  const folder = join(directory, `round-${round}`);
  mkdirSync(folder);
  keep(await copyWhole({ path, sizeBytes, dataBytes }, folder));
  keep(await carryChanges({ path, sizeBytes, dataBytes }, folder, pieces));
  rmSync(folder, { recursive: true, force: true });
}
for (const gib of gibs) keep([await copySparse(gib, directory)]);
machine.push(describeMoment('at the end', directory));

console.info(formatTable([...groups.values()]));
console.info('');
for (const line of machine) console.info(`- ${line}`);
const lookup = (what: string): Row | undefined => {
  const group = groups.get(what);
  return group && medians(group);
};
for (const line of wantedLines(lookup, gibs)) console.info(`- ${line}`);
