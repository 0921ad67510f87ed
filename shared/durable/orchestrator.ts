import type { OrchestrationContext, Task } from 'durable-functions';
import type { z } from 'zod';
import { Ctx, drive, finish, type Flow } from './flow.ts';

export interface OrchestratorDefinition<I, O> {
  readonly name: string;
  /** Runs it as a sub-orchestration with an id of our choosing. */
  call(ctx: Ctx, input: I, instanceId: string): Flow<O>;
  /** What the host's orchestration trigger runs. */
  handler(context: OrchestrationContext): Generator<Task, unknown, unknown>;
}

/** Defines an orchestrator: zod on both borders around a flow. */
export function defineOrchestrator<I, O>(definition: {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  run(ctx: Ctx, input: I): Flow<O>;
}): OrchestratorDefinition<I, O> {
  const { name, input: inputSchema, output: outputSchema, run } = definition;
  return {
    name,
    *call(ctx, input, instanceId) {
      return outputSchema.parse(yield* finish(ctx.df.callSubOrchestrator(name, inputSchema.parse(input), instanceId)));
    },
    *handler(context) {
      const ctx = new Ctx(context.df);
      return outputSchema.parse(yield* drive(ctx, run(ctx, inputSchema.parse(context.df.getInput()))));
    },
  };
}
