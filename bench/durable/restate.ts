// Restate's server with its TypeScript SDK: the workload as a workflow. It has two kinds of external event. Promises are
// addressed by workflow and name and kept until somebody asks for them, as Durable's events are. Awakeables are cheaper,
// but the workflow makes each one first and must hand its id to the sender.
// Usage: node bench/durable/restate.ts promises|awakeables <n> [directory]
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as restate from '@restatedev/restate-sdk';
import { connect, type Ingress } from '@restatedev/restate-sdk-clients';
import { useDataDirectory } from './directory.ts';
import { measure } from './measure.ts';
import { startRestateServer } from './restateServer.ts';
import { journal, steps, stepsPerEvent, type Engine } from './workload.ts';

const isBeforeEvent = (step: number): boolean => step % stepsPerEvent === 0;

const withPromises = restate.workflow({
  name: 'chain',
  handlers: {
    run: async (context: restate.WorkflowContext): Promise<number> => {
      let sum = 0;
      for (let step = 1; step <= steps; step++) {
        sum += await context.run(`step${step}`, async () => journal.ran(context.key, step));
        if (isBeforeEvent(step)) sum += await context.promise<number>(`event${step / stepsPerEvent}`);
      }
      return sum;
    },
    raise: async (context: restate.WorkflowSharedContext, event: number): Promise<void> => {
      await context.promise<number>(`event${event}`).resolve(event);
    },
  },
});

const awaited = new Map<string, string>();

const withAwakeables = restate.workflow({
  name: 'chain',
  handlers: {
    run: async (context: restate.WorkflowContext): Promise<number> => {
      let sum = 0;
      for (let step = 1; step <= steps; step++) {
        const event = isBeforeEvent(step) ? context.awakeable<number>() : undefined;
        sum += await context.run(`step${step}`, async () => {
          if (event) awaited.set(context.key, event.id);
          return journal.ran(context.key, step);
        });
        if (event) sum += await event.promise;
      }
      return sum;
    },
  },
});

const kinds = {
  promises: {
    workflow: withPromises,
    send: (ingress: Ingress, id: string, event: number) => ingress.workflowClient(withPromises, id).raise(event),
  },
  awakeables: {
    workflow: withAwakeables,
    send: (ingress: Ingress, id: string, event: number) => ingress.resolveAwakeable(awaited.get(id) ?? '', event),
  },
};

async function start({ workflow, send }: (typeof kinds)[keyof typeof kinds], directory: string): Promise<Engine> {
  const endpoint = createServer(restate.createEndpointHandler({ services: [workflow], logger: () => {} }));
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const server = await startRestateServer(directory);
  await server.register(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`);
  const ingress = connect({ url: server.ingress });
  return {
    // One request that is answered at the workflow's end; submitting and attaching would be two.
    run: (id) => ingress.call({ service: 'chain', handler: 'run', key: id, parameter: undefined }),
    send: async (id, event) => send(ingress, id, event),
    serverPid: server.pid,
    stop: () => server.stop(),
  };
}

const [kind, n, directory] = process.argv.slice(2);
if (kind !== 'promises' && kind !== 'awakeables') {
  throw new Error('Say promises or awakeables, and how many workflows.');
}
await measure({ engine: `Restate 1.7.12, ${kind}`, durability: 'RocksDB WAL fsync (group commit)' }, Number(n), () =>
  start(kinds[kind], useDataDirectory(directory)),
);
