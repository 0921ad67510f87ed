import { z } from 'zod';
import { ArmId } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction } from './action.ts';
import { named } from './named.ts';

const schema = z.strictObject({ kind: z.literal('networkSecurityGroup'), ...named, networkSecurityGroupId: ArmId });

/** Puts the target behind a security group: out of its quarantine. Its network interface goes with it. */
export const networkSecurityGroup: Action<typeof schema> = defineAction({
  schema,
  time: estimate(10, 60),
  async precheck({ azure }, _place, { networkSecurityGroupId }) {
    await azure.network.securityRules(networkSecurityGroupId);
  },
  async run({ azure }, { environment, machine }, { networkSecurityGroupId }) {
    const before = (await azure.network.machineSecurityGroup(environment, machine)) ?? 'none';
    await azure.network.setMachineSecurityGroup(environment, machine, networkSecurityGroupId);
    return { before, after: networkSecurityGroupId };
  },
  async look({ azure }, { environment, machine }, { networkSecurityGroupId: wanted }) {
    const is = (await azure.network.machineSecurityGroup(environment, machine)) ?? 'none';
    // Azure spells the ids of resources in whatever case it likes.
    return { is: is.toLowerCase() === wanted.toLowerCase() ? wanted : is, wanted };
  },
});
