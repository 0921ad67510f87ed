import { z } from 'zod';

/** What every action has: a name that people and the journal know it by, one of its own among a workload's actions. */
export const named = { name: z.string().min(1).max(80) };
