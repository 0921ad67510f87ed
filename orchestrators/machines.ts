import { all, type Ctx, type Flow } from '../shared/durable/flow.ts';
import { terminal } from '../shared/errors.ts';
import { runChecks } from './checks.ts';
import { complete } from './longOperation.ts';
import {
  choosePoint,
  createMachine,
  type DiskOfPoint,
  deletePart,
  importDisk,
  listDisks,
  type Purpose,
} from './machines/activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}

/** Imports the disks of the newest point, makes the machine behind a security group, and checks that it boots. */
export function* launch(
  ctx: Ctx,
  environmentId: string,
  workload: Workload,
  purpose: Purpose,
  networkSecurityGroupId: string,
): Flow<void> {
  const disks = yield* choosePoint.call(ctx, { ...workload, purpose });
  yield* all(disks.map((disk) => importOne(ctx, environmentId, workload, purpose, disk)));
  yield* complete(ctx, environmentId, yield* createMachine.call(ctx, { ...workload, purpose, networkSecurityGroupId }));
  const [boot] = yield* runChecks(ctx, workload, purpose, [{ kind: 'boot', name: 'boot' }], purpose, 'boot');
  if (boot?.passed !== true)
    throw terminal(
      'checkFailed',
      `The machine of ${workload.workloadId} did not boot.`,
      'Look at its boot diagnostics, then retry or roll back.',
      boot?.detail,
    );
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

/** Removes a machine with its NIC and disks; tolerates that they are not there. The replicated points stay. */
export function* destroy(ctx: Ctx, environmentId: string, workload: Workload, purpose: Purpose): Flow<void> {
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
