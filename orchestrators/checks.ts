// A plan's checks, run for one workload by a child of its own: it only looks, so nobody need wait for it.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import type { Check } from '../shared/model/settings.ts';
import { CheckResult } from '../shared/protocol/events.ts';
import { checkPlan, checkThroughAzure } from './checks/activities.ts';
import { checkFromInside } from './commands.ts';
import { Purpose } from './machines/activities.ts';
import { succeeded, WorkOutcome, workOutcome } from './outcome.ts';

const Checked = WorkOutcome.extend({ workloadId: z.string(), results: z.array(CheckResult) });

export const check = defineOrchestrator({
  name: 'check',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), purpose: Purpose }),
  output: Checked,
  *run(ctx, { purpose, ...workload }) {
    const results: CheckResult[] = [];
    const outcome = yield* workOutcome(runPlan(ctx, workload, purpose, results));
    return { ...outcome, workloadId: workload.workloadId, results };
  },
});

interface Workload {
  waveId: string;
  workloadId: string;
}

const fromInside: ReadonlySet<Check['kind']> = new Set<Check['kind']>(['tcp', 'http']);

/** Runs a plan's checks, each by the one who can: Azure for the machine and the zone, the target appliance for the network. */
function* runPlan(ctx: Ctx, workload: Workload, purpose: Purpose, results: CheckResult[]): Flow<void> {
  const checks = yield* checkPlan.call(ctx, { ...workload, purpose });
  const askAzure = checks.filter(({ kind }) => !fromInside.has(kind));
  const askAppliance = checks.filter(({ kind }) => fromInside.has(kind));
  if (askAzure.length > 0)
    results.push(...(yield* checkThroughAzure.call(ctx, { ...workload, purpose, checks: askAzure })));
  results.push(...(yield* checkFromInside(ctx, workload, askAppliance)));
}

export const Tested = Checked.pick({ workloadId: true, results: true });
export type Tested = z.infer<typeof Tested>;

/** Runs the checks of all workloads side by side: UAT's on clones, validation's on targets. A safe point. */
export function* checkAll(
  ctx: Ctx,
  {
    waveId,
    groupId,
    workloadIds,
    attempt,
  }: { waveId: string; groupId: string; workloadIds: string[]; attempt: number },
  purpose: Purpose,
): Flow<Tested[]> {
  const turn = ctx.nextCount(`check-${purpose}`);
  const members = workloadIds.map((workloadId) => ({
    instanceId: `check-${waveId}.${workloadId}-${purpose}-${attempt}-${turn}`,
    input: { waveId, workloadId, purpose },
  }));
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-check-${purpose}`, mayBeLeft: true };
  const outcomes = yield* inCrews(ctx, check, [members], crew);
  return succeeded(outcomes).map(({ workloadId, results }) => ({ workloadId, results }));
}

/** What failed, for people. */
export function failedIn(tested: readonly Tested[]): string[] {
  return tested.flatMap(({ workloadId, results }) =>
    results.filter(({ passed }) => !passed).map(({ name, detail }) => `${workloadId}: ${name} (${detail})`),
  );
}
