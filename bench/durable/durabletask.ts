// Microsoft's durabletask-js on its in-memory backend. Usage: node bench/durable/durabletask.ts <n>
import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  type OrchestrationContext,
  type Task,
} from '@microsoft/durabletask-js';
import { measure } from './measure.ts';
import { journal, steps, stepsPerEvent, type Engine } from './workload.ts';

const timeoutSeconds = 600;

async function start(): Promise<Engine> {
  // The test worker takes no logger and prints several lines for each step.
  for (const method of ['log', 'info', 'warn', 'debug'] as const) console[method] = () => {};
  const backend = new InMemoryOrchestrationBackend();
  const worker = new TestOrchestrationWorker(backend);
  worker.addNamedActivity('step', async (_, { id, step }: { id: string; step: number }) => journal.ran(id, step));
  worker.addNamedOrchestrator('chain', chain);
  await worker.start();
  const client = new TestOrchestrationClient(backend);
  return {
    run: async (id) => {
      await client.scheduleNewOrchestration('chain', undefined, id);
      const state = await client.waitForOrchestrationCompletion(id, true, timeoutSeconds);
      return JSON.parse(state?.serializedOutput ?? 'null');
    },
    send: (id, event) => client.raiseOrchestrationEvent(id, `event${event}`, event),
    stop: () => worker.stop(),
  };
}

async function* chain(context: OrchestrationContext): AsyncGenerator<Task<number>, number, number> {
  const id = context.instanceId;
  let sum = 0;
  for (let step = 1; step <= steps; step++) {
    sum += yield context.callActivity('step', { id, step });
    if (step % stepsPerEvent === 0) sum += yield context.waitForExternalEvent(`event${step / stepsPerEvent}`);
  }
  return sum;
}

await measure({ engine: 'durabletask-js 0.4.0', durability: 'none (memory)' }, Number(process.argv[2]), start);
