// Who belongs to a group, what has been begun for them, and who has committed, left or been held meanwhile.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import type { Subject } from '../shared/durable/step.ts';
import { Interruption } from '../shared/model/control.ts';
import { CommitPolicy } from '../shared/model/settings.ts';
import { OnOverrun, Opening } from '../shared/model/window.ts';
import { recordGroup } from './journal/activities.ts';
import { GroupInWave, type GroupOutline, outlineGroup } from './journal/reads/activities.ts';
import { letGo } from './leave.ts';
import type { Taken } from './saga.ts';

/** What a group is started with. */
export const GroupStart = GroupInWave.extend({
  waveId: z.string(),
  attempt: z.int(),
  environmentId: z.string(),
  windows: z.array(Opening),
  onOverrun: OnOverrun,
  commitPolicy: CommitPolicy,
  gatedSteps: z.array(z.string()),
  ordered: Interruption.optional(),
});
type GroupStart = z.infer<typeof GroupStart>;
export type GroupInput = Omit<GroupStart, keyof GroupOutline> & GroupOutline;

export const GroupOutcome = z.strictObject({
  outcome: z.enum(['committed', 'incomplete', 'rolledBack', 'withdrawn', 'held', 'failed']),
  reason: z.string(),
  behind: z.int().describe('how many of its workloads have not committed'),
  replicates: z
    .boolean()
    .describe('whether some of them go on replicating, and need what was made for the environment'),
});
export type GroupOutcome = z.infer<typeof GroupOutcome>;

/** What the group has begun and not yet committed: per workload by its children, and by itself; and who is out of it. */
export interface Begun {
  prepared: Record<string, Taken[]>;
  cutOver: Record<string, Taken[]>;
  tested: Taken[];
  /** Who is cutting over at the moment, and the group's own steps for them. */
  batch: string[];
  moved: Taken[];
  committed: Set<string>;
  /** Who has walked back alone, and where they are now. */
  left: Map<string, 'replicating' | 'withdrawn'>;
  /** Who keeps replicating until the next start, and why. */
  held: Map<string, string>;
  /** How many of the orders that were not heeded have been told. */
  toldOrders: number;
  walkedBack?: { outcome: 'rolledBack' | 'withdrawn'; reason: string };
  /** What the group's status says at the moment. */
  shown: Status;
}
type Status = Parameters<typeof recordGroup.call>[1]['status'];

export function nothingBegun(): Begun {
  return {
    ...{ prepared: {}, cutOver: {}, tested: [], batch: [], moved: [], toldOrders: 0, shown: 'planned' },
    ...{ committed: new Set(), left: new Map(), held: new Map() },
  };
}

export function subjectOf({ waveId }: GroupInput, tiers: readonly string[][]): Subject {
  return { waveId, workloadIds: tiers.flat() };
}

/** What a group works with: its members, which it looks up itself. Before 1.1 its wave told it. */
export function* withMembers(ctx: Ctx, start: GroupStart): Flow<GroupInput> {
  const { waveId, groupId, tiers = [], methods = {}, dependencies = {} } = start;
  const members = ctx.since('1.1')
    ? yield* outlineGroup.call(ctx, { waveId, groupId })
    : { tiers, methods, dependencies };
  return { ...start, ...members };
}

/** Those of the group who have neither committed nor left nor been held, in tiers. */
export function stayingOf({ tiers }: GroupInput, { committed, left, held }: Begun): string[][] {
  return only(tiers, (id) => !committed.has(id) && !left.has(id) && !held.has(id));
}

/** Tiers of those who are wanted. */
export function only(tiers: readonly string[][], wanted: (workloadId: string) => boolean): string[][] {
  return tiers.map((tier) => tier.filter(wanted)).filter(({ length }) => length > 0);
}

/** Who stays after those have gone who were told to leave while none of their children ran; a safe point. */
export function* whoStays(ctx: Ctx, input: GroupInput, begun: Begun): Flow<string[][]> {
  const { committed, left, held } = begun;
  for (;;) {
    ctx.safePoint();
    // Whoever is held may be told to leave as well; and while these go, others may be told.
    const members = only(input.tiers, (id) => !committed.has(id) && !left.has(id)).flat();
    const gone = yield* letGo(ctx, input, members, begun);
    if (gone.size === 0) return stayingOf(input, begun);
    for (const [workloadId, phase] of gone) {
      left.set(workloadId, phase);
      held.delete(workloadId);
    }
  }
}

/** Shows in the wave where the group is. */
export function* show(ctx: Ctx, input: GroupInput, begun: Begun, status: Status, reason?: string): Flow<void> {
  const { waveId, groupId } = input;
  begun.shown = status;
  const { instanceId } = ctx;
  yield* recordGroup.call(ctx, { waveId, groupId, status, instanceId, ...(reason === undefined ? {} : { reason }) });
}
