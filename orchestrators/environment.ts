// Giving an environment back: the last to leave removes what was made for it, whoever made it.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import type { AnyStep } from '../shared/durable/step.ts';
import { applianceIds } from '../shared/model/plan.ts';
import { applianceKnown } from './appliances/activities.ts';
import { allSteps } from './itinerary.ts';
import { holdersOf, releaseEnvironment } from './journal/leases/activities.ts';
import type { Taken } from './saga.ts';
import { hasGrants } from './steps/01-target-iam/activities.ts';
import { targetIam } from './steps/01-target-iam/step.ts';
import { migrationAppliance } from './steps/02-migration-appliance/step.ts';
import { sitesWithWorkers } from './steps/03-source-worker/activities.ts';
import { sourceWorker } from './steps/03-source-worker/step.ts';
import { untilDone, walkBack } from './walkBack.ts';

/** Gives the lease back; with nobody left, undoes what was taken here and what earlier holders have left. */
export function* giveBack(
  ctx: Ctx,
  { waveId, environmentId, holder }: { waveId: string; environmentId: string; holder?: string },
  taken: Taken[],
): Flow<void> {
  const subject = { waveId, workloadIds: [] };
  const lease = holder === undefined ? {} : { holder };
  const others = yield* releaseEnvironment.call(ctx, { environmentId, waveId, ...lease });
  if (others > 0) return;
  // Undone last: the rest needs them.
  const isGranted =
    taken.every(({ step }) => step !== targetIam.name) && (yield* hasGrants.call(ctx, { environmentId }));
  if (isGranted) taken.unshift({ step: targetIam.name, input: { environmentId }, before: { gaps: [] } });
  const byHand = ['remove the workers that earlier waves have left, and revoke them'];
  yield* untilDone(ctx, sourceWorker.name, subject, ['workersLeft'], byHand, function* () {
    taken.push(...(yield* left(ctx, waveId, environmentId, taken)));
  });
  yield* walkBack(
    ctx,
    taken,
    allSteps.map((step) => whileUnused(step, environmentId)),
    subject,
  );
}

/**
 * An undo that fails waits for people, for hours perhaps, and another wave may have begun meanwhile: what it has found it
 * keeps, and removes it itself when it leaves.
 */
function whileUnused(step: AnyStep, environmentId: string): AnyStep {
  return {
    ...step,
    *undo(ctx, input, before) {
      if ((yield* holdersOf.call(ctx, { environmentId })).length === 0) yield* step.undo(ctx, input, before);
    },
    // What people read hours ago may be another wave's by the time that they do it.
    todo: (input, before) =>
      step
        .todo(input, before)
        .map((line) => `${line}, unless another wave has begun in the environment ${environmentId}`),
  };
}

/** Whoever left before may have had an appliance and workers that are not wanted here, and was not the last to leave. */
function* left(ctx: Ctx, waveId: string, environmentId: string, taken: readonly Taken[]): Flow<Taken[]> {
  const own = (name: string) => taken.filter(({ step }) => step === name);
  const found: Taken[] = [];
  const applianceId = applianceIds.target(environmentId);
  if (own(migrationAppliance.name).length === 0 && (yield* applianceKnown.call(ctx, { applianceId }))) {
    const input = { environmentId, waveId };
    found.push({ step: migrationAppliance.name, input, before: yield* migrationAppliance.capture(ctx, input, 1) });
  }
  const sites = own(sourceWorker.name).map(({ input }) => sourceWorker.input.parse(input).siteId);
  for (const siteId of yield* sitesWithWorkers.call(ctx, { environmentId })) {
    if (sites.includes(siteId)) continue;
    const input = { environmentId, waveId, siteId };
    found.push({ step: sourceWorker.name, input, before: yield* sourceWorker.capture(ctx, input, 1) });
  }
  return found;
}
