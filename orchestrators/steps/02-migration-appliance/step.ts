import { z } from 'zod';
import { defineStep } from '../../../shared/durable/step.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import { dismissAppliance } from '../../appliances/activities.ts';
import { waitUntilHealthy } from '../../appliances.ts';
import { complete } from '../../longOperation.ts';
import { deleteApplianceMachine, deleteApplianceNic, deployAppliance, findAppliance } from './activities.ts';

/** Step 2: the target appliance's machine, without public address, with a one-time token in its custom data. */
export const migrationAppliance = defineStep({
  number: 2,
  name: 'migrationAppliance',
  scope: 'environment',
  input: z.strictObject({ environmentId: z.string(), waveId: z.string() }),
  before: z.strictObject({ adopted: z.boolean().describe('a machine of that name that is not ours existed before') }),
  output: z.strictObject({ applianceId: z.string(), version: z.string() }),
  *capture(ctx, { environmentId }) {
    return { adopted: yield* findAppliance.call(ctx, { environmentId }) };
  },
  *run(ctx, { environmentId, waveId }, _before, attempt) {
    const applianceId = applianceIds.target(environmentId);
    const operationId = ctx.operationId('applianceHealthy', applianceId, attempt);
    const deployed = yield* deployAppliance.call(ctx, { environmentId, waveId, operationId });
    if (deployed.healthy !== undefined) return { applianceId, version: deployed.healthy };
    yield* complete(ctx, environmentId, deployed.progress);
    return yield* waitUntilHealthy(ctx, operationId, applianceId, { minutes: 20 });
  },
  *undo(ctx, { environmentId }, { adopted }) {
    if (!adopted) {
      yield* complete(ctx, environmentId, yield* deleteApplianceMachine.call(ctx, { environmentId }));
      yield* complete(ctx, environmentId, yield* deleteApplianceNic.call(ctx, { environmentId }));
    }
    yield* dismissAppliance.call(ctx, { applianceId: applianceIds.target(environmentId) });
  },
  todo: ({ environmentId }, { adopted }) => {
    const applianceId = applianceIds.target(environmentId);
    const machine = `delete the machine lf-${applianceId}, its disk and its network interface`;
    return [...(adopted ? [] : [machine]), `revoke the appliance ${applianceId}`];
  },
});
