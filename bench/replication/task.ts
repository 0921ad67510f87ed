import { z } from 'zod';

const common = { path: z.string(), threads: z.int().optional().describe('for hashing; as many as fit if absent') };

/** What the engine's process is asked to do. */
export const Task = z.discriminatedUnion('kind', [
  z.object({ ...common, kind: z.literal('read') }),
  z.object({ ...common, kind: z.literal('write'), bytes: z.number() }),
  z.object({
    ...common,
    kind: z.literal('sync'),
    state: z.string(),
    sizeBytes: z.number(),
    verify: z.enum(['written', 'sample', 'all']),
    changed: z.object({ context: z.string(), since: z.string() }).optional(),
    isDelta: z.boolean().default(false),
  }),
]);
export type Task = z.input<typeof Task>;

/** What it tells. The time is without the start of the process. */
export const Done = z.object({
  seconds: z.number(),
  readBytes: z.number(),
  writtenBytes: z.number(),
  requests: z.number(),
});
