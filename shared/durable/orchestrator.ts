import type { OrchestrationContext, Task } from 'durable-functions';
import { z } from 'zod';
import { Ctx, drive, type Flow, finish } from './flow.ts';

export interface OrchestratorDefinition<I, O> {
  readonly name: string;
  readonly input: z.ZodType<I>;
  readonly output: z.ZodType<O>;
  /** Runs it as a sub-orchestration with an id of our choosing. */
  call(ctx: Ctx, input: I, instanceId: string): Flow<O>;
  /** What the host's orchestration trigger runs. */
  handler(context: OrchestrationContext): Generator<Task, unknown, unknown>;
}

/** What an input says of itself, for every orchestrator alike. */
const WorksFor = z.looseObject({
  waveId: z.string().optional(),
  workloadId: z.string().optional(),
  startedAt: z.string().optional(),
});

/** Defines an orchestrator: zod on both borders around a flow. */
export function defineOrchestrator<I, O>(definition: {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  /** Tells repeated runs of one instance id apart. */
  attempt?(input: I): number;
  run(ctx: Ctx, input: I): Flow<O>;
}): OrchestratorDefinition<I, O> {
  const { name, input: inputSchema, output: outputSchema, attempt, run } = definition;
  return {
    name,
    input: inputSchema,
    output: outputSchema,
    *call(ctx, input, instanceId) {
      return outputSchema.parse(yield* finish(begin(ctx, name, inputSchema.parse(input), instanceId)));
    },
    *handler(context) {
      const input = inputSchema.parse(context.df.getInput());
      const ctx = new Ctx(context.df, attempt?.(input).toString(), WorksFor.parse(input));
      return outputSchema.parse(yield* drive(ctx, run(ctx, input)));
    },
  };
}

/** Begins a sub-orchestration of its parent's version: without one it would get the host's, which may be newer. */
export function begin({ df }: Ctx, name: string, input: unknown, instanceId: string): Task {
  return df.callSubOrchestrator(name, input, instanceId, df.version);
}
