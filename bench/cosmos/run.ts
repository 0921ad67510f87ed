// The bench: a server with its documents, the unmodified client in this process, one operation after the other; one table.
// Usage: node bench/cosmos/run.ts [--seconds 3] [--dir <on a real disk>]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { CosmosClient } from '@azure/cosmos';
import { z } from 'zod';
import { useDataDirectory } from '../durable/directory.ts';
import { describeMachine, describeMoment } from '../durable/machine.ts';
import { sqliteAlone } from './alone.ts';
import { throughClient } from './operations.ts';
import { formatTable, wantedLines } from './report.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, dir: { type: 'string' } },
});
const seconds = z.coerce.number().positive().parse(values.seconds);
const directory = values.dir === undefined ? useDataDirectory() : useDataDirectory(values.dir);
// An exit handler removes the data.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const machine = describeMachine(directory);
const server = fork(`${import.meta.dirname}/server.ts`, [directory]);
const [said] = (await once(server, 'message')) as [unknown];
const { endpoint, key } = z.object({ endpoint: z.url(), key: z.string() }).parse(said);
machine.push(describeMoment('before', directory));
const client = new CosmosClient({ endpoint, key });
const rows = await throughClient(client, server.pid ?? 0, seconds);
client.dispose();
const gone = once(server, 'exit');
server.disconnect();
await gone;
rows.push(...sqliteAlone(directory, seconds));
machine.push(describeMoment('after', directory));

console.info(`${formatTable(rows)}\n`);
for (const line of [...machine, ...wantedLines(rows)]) console.info(`- ${line}`);
process.exit();
