// The proof that clones are isolated, for one workload by a child of its own: rules and probes before, and after they boot.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { probeFromInside } from './commands.ts';
import { Judged, noteNames, probeThroughAzure, recordIsolation, When } from './isolation/activities.ts';
import { succeeded, WorkOutcome, workOutcome } from './outcome.ts';

export const prove = defineOrchestrator({
  name: 'prove',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    group: z.array(z.string()),
    of: z.string(),
    when: When,
    leaveOut: z.array(z.string()),
  }),
  output: WorkOutcome.extend({ judged: Judged.optional() }),
  *run(ctx, input) {
    const judged: Judged[] = [];
    return { ...(yield* workOutcome(look(ctx, input, judged))), judged: judged[0] };
  },
});

function* look(
  ctx: Ctx,
  input: { waveId: string; workloadId: string; group: string[]; of: string; when: When; leaveOut: string[] },
  judged: Judged[],
): Flow<void> {
  const { group, of, when, leaveOut, ...workload } = input;
  const { found, seen, fromInside, answerWithin } = yield* probeThroughAzure.call(ctx, { ...workload, group, when });
  const inside = yield* probeFromInside(ctx, workload, fromInside, answerWithin);
  const all = [...seen, ...inside];
  const operationId = ctx.operationId('isolation');
  if (when === 'noted') judged.push(yield* noteNames.call(ctx, { ...workload, operationId, seen: all, leaveOut }));
  else
    judged.push(
      ...(yield* recordIsolation.call(ctx, {
        ...{ waveId: workload.waveId, operationId, of, when, leaveOut },
        findings: [{ ...found, seen: all }],
      })),
    );
}

/** Looks at all workloads of a group side by side, and returns what each look came to. A safe point. */
export function* proveAll(
  ctx: Ctx,
  group: { waveId: string; groupId: string; workloadIds: string[]; attempt: number },
  { of, when, leaveOut }: { of: string; when: When; leaveOut: string[] },
): Flow<Judged[]> {
  const { waveId, groupId, workloadIds, attempt } = group;
  const turn = ctx.nextCount(`prove-${when}`);
  const members = workloadIds.map((workloadId) => ({
    instanceId: `prove-${waveId}.${workloadId}-${when}-${attempt}-${turn}`,
    input: { waveId, workloadId, group: workloadIds, of, when, leaveOut },
  }));
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-prove-${when}`, mayBeLeft: true };
  const outcomes = succeeded(yield* inCrews(ctx, prove, [members], crew));
  return outcomes.flatMap(({ judged }) => (judged === undefined ? [] : [judged]));
}

/** What stands against the proof, in words. */
export function openIn(judged: readonly Judged[]): string[] {
  return judged.flatMap(({ workloadId, reasons }) => reasons.map((reason) => `${workloadId}: ${reason}`));
}
