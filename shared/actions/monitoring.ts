import { z } from 'zod';
import { ArmId } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction, type Place, type Reach } from './action.ts';
import { named } from './named.ts';

const RuleId = ArmId.regex(
  /\/providers\/Microsoft\.Insights\/dataCollectionRules\/[^/]+$/i,
  'use the id of a data collection rule: it ends with /providers/Microsoft.Insights/dataCollectionRules/{name}',
);

const schema = z.strictObject({ kind: z.literal('monitoring'), ...named, dataCollectionRuleId: RuleId });
type Monitoring = z.infer<typeof schema>;

/** Puts the target under a data collection rule of Azure Monitor. */
export const monitoring: Action<typeof schema> = defineAction({
  schema,
  time: estimate(5, 60),
  needs: () => [
    'Microsoft.Insights/dataCollectionRules/read',
    ...['read', 'write', 'delete'].map((verb) => `Microsoft.Insights/dataCollectionRuleAssociations/${verb}`),
  ],
  precheck: ({ azure }, _place, { dataCollectionRuleId }) => azure.monitoring.requireRule(dataCollectionRuleId),
  async run(reach, place, action) {
    const before = await standing(reach, place, action);
    await reach.azure.monitoring.associate(place.environment, place.machine, action.dataCollectionRuleId);
    return { before, after: await standing(reach, place, action) };
  },
  look: async (reach, place, action) => ({ is: await standing(reach, place, action), wanted: spell(true, action) }),
  // What hangs on a resource as an extension may stay when that goes, and be there for the next one of its name.
  undo: {
    before: z.null(),
    time: estimate(5, 60),
    capture: async () => null,
    async run(reach, place, action) {
      const before = await standing(reach, place, action);
      await reach.azure.monitoring.dissociate(place.environment, place.machine, action.dataCollectionRuleId);
      return { before, after: await standing(reach, place, action) };
    },
    todo: ({ dataCollectionRuleId }, _before, { machine }) =>
      `delete the association of the machine ${machine} with the data collection rule ${dataCollectionRuleId}`,
  },
});

async function standing({ azure }: Reach, { environment, machine }: Place, action: Monitoring): Promise<string> {
  return spell(await azure.monitoring.isAssociated(environment, machine, action.dataCollectionRuleId), action);
}

function spell(isUnder: boolean, { dataCollectionRuleId }: Monitoring): string {
  return `${isUnder ? 'under' : 'not under'} ${dataCollectionRuleId}`;
}
