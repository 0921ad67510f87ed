// This repository's engine with the unmodified durable-functions SDK, put together as the local host does.
// Usage: node bench/durable/ours.ts memory|durable <n> [directory]
import { join } from 'node:path';
import { DurableManagement } from '../../local/durable/client.ts';
import { Engine as DurableEngine } from '../../local/durable/engine.ts';
import { loadApp } from '../../local/host/app.ts';
import { Invoker } from '../../local/host/invoke.ts';
import { HostLog } from '../../local/host/log.ts';
import { openDatabase } from '../../local/sqlite.ts';
import { useDataDirectory } from './directory.ts';
import { measure } from './measure.ts';
import type { Engine } from './workload.ts';

async function start(databasePath: string): Promise<Engine> {
  const registrations = await loadApp(join(import.meta.dirname, 'app'));
  const functions = new Map(
    [...registrations.functions].flatMap(([name, target]) =>
      Object.values(target.metadata.bindings).map(({ type }) => [`${type}:${name}`, target] as const),
    ),
  );
  const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
  const engine = new DurableEngine({
    database: openDatabase(databasePath),
    has: (kind, name) => functions.has(`${kind}Trigger:${name}`),
    invoke: async ({ kind, name, json }) => {
      const target = functions.get(`${kind}Trigger:${name}`);
      if (!target) throw new Error(`There is no ${kind} "${name}".`);
      return (await invoker.invoke(target, { data: { json } })).result;
    },
    log: (line) => console.error(line),
  });
  engine.start();
  const client = new DurableManagement(engine);
  return {
    run: async (id) => {
      await client.start('chain', { instanceId: id });
      return (await client.whenEnded(id)).output;
    },
    send: (id, event) => client.raiseEventWithJson(id, `event${event}`, String(event)),
    stop: () => engine.stop(),
  };
}

const [mode, n, directory] = process.argv.slice(2);
if (mode !== 'memory' && mode !== 'durable') throw new Error('Say memory or durable, and how many workflows.');
const durable = mode === 'durable';
await measure(
  { engine: 'Landfall', durability: durable ? 'SQLite WAL fsync (group commit)' : 'none (memory)' },
  Number(n),
  () => start(durable ? join(useDataDirectory(directory), 'durable.db') : ':memory:'),
);
