// What one run of one engine gives, as it crosses from the measuring process to the one that prints the table.
import { z } from 'zod';

const figure = z.number().nonnegative();

export const Row = z.object({
  engine: z.string(),
  durability: z.string(),
  n: z.int().positive(),
  /** How many workflows were measured. */
  workflows: z.int().positive(),
  workflowsPerSecond: figure,
  stepsPerSecond: figure,
  stepP50: figure,
  stepP99: figure,
  eventP50: figure,
  eventP99: figure,
  cpuPerStep: figure,
  nodeMegabytes: figure,
  serverMegabytes: figure,
  dupSteps: figure,
  /** The measured time, in milliseconds since 1970. */
  from: figure,
  to: figure,
});
export type Row = z.infer<typeof Row>;
