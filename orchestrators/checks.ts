import type { Ctx, Flow } from '../shared/durable/flow.ts';
import type { Check } from '../shared/model/settings.ts';
import type { CheckResult } from '../shared/protocol/events.ts';
import { checkThroughAzure } from './checks/activities.ts';
import { checkFromInside } from './commands.ts';
import type { Purpose } from './machines/activities.ts';

const fromInside: ReadonlySet<Check['kind']> = new Set<Check['kind']>(['tcp', 'http']);

/** Runs a plan's checks, each by the one who can: Azure for the machine and the zone, the target appliance for the network. */
export function* runChecks(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  purpose: Purpose,
  checks: Check[],
  ...key: (string | number)[]
): Flow<CheckResult[]> {
  const askAzure = checks.filter((check) => !fromInside.has(check.kind));
  const askAppliance = checks.filter((check) => fromInside.has(check.kind));
  const throughAzure =
    askAzure.length === 0 ? [] : yield* checkThroughAzure.call(ctx, { ...workload, purpose, checks: askAzure });
  return [...throughAzure, ...(yield* checkFromInside(ctx, workload, askAppliance, ...key))];
}
