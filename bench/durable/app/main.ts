// The workload as a Durable Functions app; knows nothing of the engine that runs it.
import * as df from 'durable-functions';
import { journal, steps, stepsPerEvent } from '../workload.ts';

df.app.activity('step', {
  handler: async ({ id, step }: { id: string; step: number }) => journal.ran(id, step),
});

df.app.orchestration('chain', function* (context): Generator<df.Task, number, number> {
  const id = context.df.instanceId;
  let sum = 0;
  for (let step = 1; step <= steps; step++) {
    sum += yield context.df.callActivity('step', { id, step });
    if (step % stepsPerEvent === 0) sum += yield context.df.waitForExternalEvent(`event${step / stepsPerEvent}`);
  }
  return sum;
});
