// A plan's checks, run for one workload by a child of its own: it only looks, so nobody need wait for it.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { backOff } from '../shared/durable/waits.ts';
import type { Check } from '../shared/model/settings.ts';
import { durationMs } from '../shared/policy/duration.ts';
import { CheckResult } from '../shared/protocol/events.ts';
import { checkPlan, checkThroughAzure } from './checks/activities.ts';
import { checkFromInside } from './commands.ts';
import { Purpose } from './machines/activities.ts';
import { succeeded, WorkOutcome, workOutcome } from './outcome.ts';

/** How one check ended: after how many tries, and whether anybody answered. */
const CheckOutcome = CheckResult.extend({ tries: z.int(), silent: z.boolean() });
type CheckOutcome = z.infer<typeof CheckOutcome>;
const Checked = WorkOutcome.extend({ workloadId: z.string(), results: z.array(CheckOutcome) });

export const check = defineOrchestrator({
  name: 'check',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    purpose: Purpose,
    leaveOut: z.array(z.string()).describe('names of checks that people leave out this time'),
  }),
  output: Checked,
  *run(ctx, { purpose, leaveOut, ...workload }) {
    const results: CheckOutcome[] = [];
    const outcome = yield* workOutcome(runPlan(ctx, workload, purpose, leaveOut, results));
    return { ...outcome, workloadId: workload.workloadId, results };
  },
});

interface Workload {
  waveId: string;
  workloadId: string;
}

/** Runs a plan's checks; those that fail or stay silent again, as often as the plan says, before there is a verdict. */
function* runPlan(
  ctx: Ctx,
  workload: Workload,
  purpose: Purpose,
  leaveOut: string[],
  results: CheckOutcome[],
): Flow<void> {
  const plan = yield* checkPlan.call(ctx, { ...workload, purpose });
  const { tries, tryEvery, answerWithin } = plan;
  const checks = plan.checks.filter(({ name }) => !leaveOut.includes(name));
  const latest = new Map<Check, CheckOutcome>();
  for (let tried = 1, open = checks; open.length > 0 && tried <= tries; tried++) {
    if (tried > 1) yield* backOff(ctx, durationMs(tryEvery));
    const found = yield* runOnce(ctx, workload, purpose, open, answerWithin, tried);
    for (const [check, outcome] of found) latest.set(check, { ...outcome, tries: tried });
    open = checks.filter((check) => latest.get(check)?.passed !== true);
  }
  results.push(...latest.values());
}

const fromInside: ReadonlySet<Check['kind']> = new Set<Check['kind']>(['tcp', 'http']);

/** Each check by the one who can: Azure for the machine and the zone, the target appliance for the network. */
function* runOnce(
  ctx: Ctx,
  workload: Workload,
  purpose: Purpose,
  checks: Check[],
  answerWithin: string,
  tried: number,
): Flow<[Check, Omit<CheckOutcome, 'tries'>][]> {
  const askAzure = checks.filter(({ kind }) => !fromInside.has(kind));
  const askAppliance = checks.filter(({ kind }) => fromInside.has(kind));
  const answers =
    askAzure.length === 0 ? [] : yield* checkThroughAzure.call(ctx, { ...workload, purpose, checks: askAzure });
  const inside = yield* checkFromInside(ctx, workload, askAppliance, answerWithin, tried);
  return checks.map((check) => {
    const { name, kind } = check;
    const answer = (fromInside.has(kind) ? inside : answers)?.find((each) => each.name === name);
    const silent = { name, passed: false, silent: true, detail: `no answer within ${answerWithin}` };
    return [check, answer === undefined ? silent : { ...answer, silent: false }];
  });
}

/** Changed input of a step that runs checks. It weakens a proof. */
export const CheckChanges = {
  schema: z.strictObject({
    leaveOut: z.array(z.string()).min(1).describe('names of checks that are not run, and of probes that prove nothing'),
  }),
  needs: 'approver',
} as const;

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
  leaveOut: string[] = [],
): Flow<Tested[]> {
  const turn = ctx.nextCount(`check-${purpose}`);
  const members = workloadIds.map((workloadId) => ({
    instanceId: `check-${waveId}.${workloadId}-${purpose}-${attempt}-${turn}`,
    input: { waveId, workloadId, purpose, leaveOut },
  }));
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-check-${purpose}`, mayBeLeft: true };
  const outcomes = yield* inCrews(ctx, check, [members], crew);
  return succeeded(outcomes).map(({ workloadId, results }) => ({ workloadId, results }));
}

/** What did not pass, for people. */
export function failedIn(tested: readonly Tested[]): string[] {
  return tested.flatMap(({ workloadId, results }) =>
    results.filter(({ passed }) => !passed).map(({ name, detail }) => `${workloadId}: ${name} (${detail})`),
  );
}
