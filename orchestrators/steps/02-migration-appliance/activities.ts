import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import { environmentOf, ownership, resourceNames } from '../../../shared/store/plans.ts';
import { untilStarted, wantAppliance } from '../../appliances/activities.ts';
import { asked, Progress } from '../../azure/activities.ts';

const Input = z.strictObject({ environmentId: z.string() });
const machineName = (environmentId: string) => resourceNames.appliance(applianceIds.target(environmentId));

/** Whether a machine of the appliance's name exists that is not ours. */
export const findAppliance = defineActivity({
  name: 'findAppliance',
  input: Input,
  output: z.boolean(),
  async effect({ azure, store }, { environmentId }) {
    const machine = await azure.compute.findMachine(
      await environmentOf(store, environmentId),
      machineName(environmentId),
    );
    return machine !== undefined && machine.tags['landfall:owner'] !== 'landfall';
  },
});

/** Deploys the appliance, or finds it at work. */
export const deployAppliance = defineActivity({
  name: 'deployAppliance',
  changes: 'the appliance’s machine',
  retry: untilStarted,
  input: Input.extend({ waveId: z.string(), operationId: z.string() }),
  output: z.strictObject({ healthy: z.string().optional(), progress: Progress }),
  async effect(capabilities, { environmentId, waveId, operationId }, { changed }) {
    const { azure, store, now } = capabilities;
    const environment = await environmentOf(store, environmentId);
    const applianceId = applianceIds.target(environmentId);
    const machine = await azure.compute.findMachine(environment, machineName(environmentId));
    const wanted = await wantAppliance(
      capabilities,
      { environmentId, applianceId, kind: 'target', operationId },
      machine !== undefined,
    );
    if (wanted.state === 'healthy')
      return {
        healthy: (await store.appliances.get(applianceId))?.version ?? 'unknown',
        progress: { done: true as const },
      };
    if (wanted.state === 'started') return { progress: { done: true as const } };
    const tags = ownership(waveId, environmentId, now());
    const name = machineName(environmentId);
    const progress = await azure.compute.beginAppliance(environment, name, wanted.bootstrap, tags);
    changed({ verb: 'deployed', object: `machine ${name}`, before: machine === undefined ? 'absent' : machine.power });
    return { progress };
  },
});

export const deleteApplianceMachine = defineActivity({
  name: 'deleteApplianceMachine',
  changes: 'the appliance’s machine',
  input: Input,
  output: Progress,
  async effect({ azure, store }, { environmentId }, { changed }) {
    const name = machineName(environmentId);
    const progress = await azure.compute.beginDeleteMachine(await environmentOf(store, environmentId), name);
    changed(asked('deleted', `machine ${name}`, progress));
    return progress;
  },
});

export const deleteApplianceNic = defineActivity({
  name: 'deleteApplianceNic',
  changes: 'the appliance’s network interface',
  input: Input,
  output: Progress,
  async effect({ azure, store }, { environmentId }, { changed }) {
    const name = `${machineName(environmentId)}-nic`;
    const progress = await azure.compute.beginDeleteNic(await environmentOf(store, environmentId), name);
    changed(asked('deleted', `network interface ${name}`, progress));
    return progress;
  },
});
