import { z } from 'zod';
import { Decommission } from './decommission.ts';
import { Dependency } from './dependency.ts';
import { FailureBudget, OnFailure } from './failurePolicy.ts';
import { Gates } from './gate.ts';
import { Id } from './ids.ts';
import { CommitPolicy, Settings } from './settings.ts';
import { Freeze, OnOverrun, Window } from './window.ts';

export const WorkloadDefinition = z.strictObject({
  id: Id,
  source: Id,
  method: z.enum(['agent', 'agentless']),
  dependsOn: z.array(Id).max(50).default([]).describe('workloads of the same group that must serve before this one'),
  target: z.strictObject({
    name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/),
    privateAddress: z.ipv4().optional(),
  }),
  settings: Settings.optional(),
});
export type WorkloadDefinition = z.infer<typeof WorkloadDefinition>;

export const GroupDefinition = z.strictObject({
  id: Id,
  dependsOn: z
    .array(z.union([Id, Dependency]))
    .max(50)
    .default([])
    .describe('what must have committed before this group cuts over; a name alone is a group of this wave'),
  workloads: z.array(WorkloadDefinition).min(1).max(100),
  onFailure: OnFailure.optional().describe('instead of what the wave says'),
  settings: Settings.optional(),
});
export type GroupDefinition = z.infer<typeof GroupDefinition>;

/** What a planner posts. */
export const WaveDefinition = z
  .strictObject({
    id: Id,
    name: z.string().min(1).max(200),
    environment: Id,
    profile: Id,
    window: Window,
    calendars: z.array(Id).max(20).default([]).describe('blackout calendars, beside those of the environment'),
    freezes: z.array(Freeze).max(50).default([]),
    onOverrun: OnOverrun.default('ask'),
    gates: Gates.prefault({}),
    commitPolicy: CommitPolicy.prefault({}),
    decommission: Decommission.prefault({}),
    onFailure: OnFailure.default('hold'),
    failureBudget: FailureBudget.optional(),
    dependsOn: z
      .array(z.union([Id, Dependency]))
      .max(50)
      .default([])
      .describe('what must have committed before any group of this wave cuts over; a name alone is another wave'),
    settings: Settings.optional(),
    groups: z.array(GroupDefinition).min(1).max(100),
  })
  .refine(({ gates, commitPolicy }) => gates.commit.required || commitPolicy.onPassed !== 'wait', {
    path: ['gates', 'commit', 'required'],
    message: 'commitPolicy.onPassed "wait" waits for people: require this gate, or say "commit" there',
  });
export type WaveDefinition = z.infer<typeof WaveDefinition>;
