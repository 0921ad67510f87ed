// What must have committed before something else cuts over: among groups, and among waves.
import { z } from 'zod';
import { Id } from './ids.ts';

/** A workload and the one it waits for. */
const Pair = z.strictObject({ workload: Id, needs: Id });

/** One dependency as people write it. Kinds: the whole unit, the workload of the same id or source in it, or pairs of workloads. */
export const Dependency = z
  .strictObject({
    wave: Id.optional().describe('another wave; without it, this one'),
    group: Id.optional().describe('a group of that wave; without it, the whole wave'),
    kind: z.enum(['whole', 'sameWorkload', 'mapped']).default('whole'),
    pairs: z.array(Pair).min(1).max(1000).optional().describe('for "mapped": who waits for whom'),
  })
  .refine(({ wave, group }) => wave !== undefined || group !== undefined, {
    path: ['group'],
    message: 'name the group, the wave, or both that must have committed',
  })
  .refine(({ kind, pairs }) => kind !== 'mapped' || pairs !== undefined, {
    path: ['pairs'],
    message: 'a mapped dependency says who waits for whom: [{ workload, needs }]',
  })
  .refine(({ kind, pairs }) => kind === 'mapped' || pairs === undefined, {
    path: ['kind'],
    message: 'pairs belong to the kind "mapped"',
  });
export type Dependency = z.infer<typeof Dependency>;

/** What a plan makes of it: a unit that must have committed, or single workloads of that unit. */
export const Need = z.strictObject({
  waveId: Id,
  groupId: Id.optional().describe('without it, the whole wave'),
  pairs: z.array(Pair).optional().describe('without them, the whole group waits for the whole unit'),
});
export type Need = z.infer<typeof Need>;
