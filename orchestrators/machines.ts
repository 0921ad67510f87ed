// Machines made of replicated points come and go, each by a child of its own that runs to its end once it has begun.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import { all, type Ctx, type Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator, type OrchestratorDefinition } from '../shared/durable/orchestrator.ts';
import { type Failure, terminal } from '../shared/errors.ts';
import { msBetween } from '../shared/policy/duration.ts';
import { checkThroughAzure } from './checks/activities.ts';
import { complete } from './longOperation.ts';
import {
  choosePoint,
  createMachine,
  type DiskOfPoint,
  deletePart,
  importDisk,
  listDisks,
  Purpose,
  quarantineGroupOf,
  quarantineMachine,
} from './machines/activities.ts';
import { failedTogether, failuresOf, WorkOutcome, workOutcome } from './outcome.ts';
import { recordLaunch } from './windows/activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}

const Asked = z.strictObject({
  waveId: z.string(),
  workloadId: z.string(),
  environmentId: z.string(),
  purpose: Purpose,
});
const Launch = Asked.extend({ behind: z.string().optional().describe('a security group; absent: the quarantine') });

export const launch = defineOrchestrator({
  name: 'launch',
  input: Launch,
  output: WorkOutcome,
  *run(ctx, { waveId, workloadId, environmentId, purpose, behind }) {
    const workload = { waveId, workloadId };
    return yield* workOutcome(
      (function* () {
        const group = behind ?? (yield* quarantineGroupOf.call(ctx, workload));
        yield* launchOne(ctx, environmentId, workload, purpose, group);
      })(),
    );
  },
});

export const destroy = defineOrchestrator({
  name: 'destroy',
  input: Asked,
  output: WorkOutcome,
  *run(ctx, { waveId, workloadId, environmentId, purpose }) {
    return yield* workOutcome(destroyOne(ctx, environmentId, { waveId, workloadId }, purpose));
  },
});

interface Machines {
  waveId: string;
  groupId: string;
  environmentId: string;
  /** Part of instance ids: the wave's, or what else tells one try from the next. */
  attempt: number | string;
}

/** Launches machines tier after tier; throws when some did not come up, once their neighbours have come to rest. */
export function* launchAll(...asked: Parameters<typeof tryLaunchAll>): Flow<void> {
  const failed = failedTogether(yield* tryLaunchAll(...asked));
  if (failed !== undefined) throw failed;
}

/** The same, and says whose machines did not come up. */
export function* tryLaunchAll(
  ctx: Ctx,
  group: Machines,
  tiers: readonly string[][],
  purpose: Purpose,
  behind?: string,
): Flow<Map<string, Failure>> {
  const { waveId, environmentId } = group;
  return yield* workOn(ctx, launch, group, tiers, purpose, (workloadId) => ({
    ...{ waveId, workloadId, environmentId, purpose },
    ...(behind === undefined ? {} : { behind }),
  }));
}

/** Removes machines with their NICs and disks; tolerates that they are not there. The replicated points stay. */
export function* destroyAll(ctx: Ctx, group: Machines, workloadIds: readonly string[], purpose: Purpose): Flow<void> {
  const { waveId, environmentId } = group;
  const outcomes = yield* workOn(ctx, destroy, group, [workloadIds], purpose, (workloadId) => ({
    waveId,
    workloadId,
    environmentId,
    purpose,
  }));
  const failed = failedTogether(outcomes);
  if (failed !== undefined) throw failed;
}

function* workOn<I>(
  ctx: Ctx,
  work: OrchestratorDefinition<I, WorkOutcome>,
  { waveId, groupId, attempt }: Machines,
  tiers: readonly (readonly string[])[],
  purpose: Purpose,
  input: (workloadId: string) => I,
): Flow<Map<string, Failure>> {
  const id = `${work.name}-${purpose}`;
  const turn = ctx.nextCount(id);
  const instanceId = (workloadId: string) => `${work.name}-${waveId}.${workloadId}-${purpose}-${attempt}-${turn}`;
  const stages = tiers.map((tier) => tier.map((id) => ({ instanceId: instanceId(id), input: input(id) })));
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-${id}` };
  return failuresOf(yield* inCrews(ctx, work, stages, crew), tiers.flat(), instanceId);
}

/** Imports the disks of the newest point, makes the machine behind a security group, and checks that it boots. */
function* launchOne(
  ctx: Ctx,
  environmentId: string,
  workload: Workload,
  purpose: Purpose,
  networkSecurityGroupId: string,
): Flow<void> {
  const begun = ctx.now();
  const disks = yield* choosePoint.call(ctx, { ...workload, purpose });
  yield* all(disks.map((disk) => importOne(ctx, environmentId, workload, purpose, disk)));
  const imported = ctx.now();
  yield* complete(ctx, environmentId, yield* createMachine.call(ctx, { ...workload, purpose, networkSecurityGroupId }));
  const checks = [{ kind: 'boot' as const, name: 'boot' }];
  const [boot] = yield* checkThroughAzure.call(ctx, { ...workload, purpose, checks });
  if (boot?.passed !== true)
    throw terminal(
      'checkFailed',
      `The machine of ${workload.workloadId} did not boot.`,
      'Look at its boot diagnostics, then retry or roll back.',
      boot?.detail,
    );
  yield* recordLaunch.call(ctx, {
    ...workload,
    purpose,
    operationId: ctx.operationId('launched'),
    importSeconds: secondsBetween(begun, imported),
    bootSeconds: secondsBetween(imported, ctx.now()),
  });
}

function secondsBetween(from: string, to: string): number {
  return msBetween(from, to) / 1000;
}

function* importOne(
  ctx: Ctx,
  environmentId: string,
  workload: Workload,
  purpose: Purpose,
  disk: DiskOfPoint,
): Flow<void> {
  yield* complete(ctx, environmentId, yield* importDisk.call(ctx, { ...workload, purpose, disk }));
}

function* destroyOne(ctx: Ctx, environmentId: string, workload: Workload, purpose: Purpose): Flow<void> {
  // A target that may serve stops serving before anything of it goes.
  if (purpose === 'cutover') yield* quarantineMachine.call(ctx, workload);
  const disks = yield* listDisks.call(ctx, workload);
  yield* removePart(ctx, environmentId, workload, purpose, 'machine');
  yield* all([
    removePart(ctx, environmentId, workload, purpose, 'nic'),
    ...disks.map((diskId) => removePart(ctx, environmentId, workload, purpose, { diskId })),
  ]);
}

function* removePart(
  ctx: Ctx,
  environmentId: string,
  workload: Workload,
  purpose: Purpose,
  part: 'machine' | 'nic' | { diskId: string },
): Flow<void> {
  yield* complete(ctx, environmentId, yield* deletePart.call(ctx, { ...workload, purpose, part }));
}
