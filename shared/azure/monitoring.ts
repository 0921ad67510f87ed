// Data collection rules of Azure Monitor, and their associations: resources that hang on a machine as its extensions. The
// generic client does for both.
// https://learn.microsoft.com/rest/api/monitor/data-collection-rule-associations/create
import { terminal } from '../errors.ts';
import { hashOf } from '../hash.ts';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure } from './contract.ts';
import { finish } from './longOperations.ts';
import { requireOurs } from './ownership.ts';
import { idIn, parseIdOf, sameId } from './resourceIds.ts';

const version = '2022-06-01';

/** The id of our association of a machine with a rule: one of its own for each rule. */
function associationId(environment: Environment, machine: string, ruleId: string): string {
  const name = `landfall-${hashOf(ruleId.toLowerCase()).slice(0, 24)}`;
  const machineId = idIn(environment, 'Microsoft.Compute/virtualMachines', machine);
  return `${machineId}/providers/Microsoft.Insights/dataCollectionRuleAssociations/${name}`;
}

export function createMonitoring(clients: Clients): Azure['monitoring'] {
  const resourcesOf = (subscriptionId: string) => clients.resources(subscriptionId).resources;
  const often = { updateIntervalInMs: 500 };

  async function isAssociated(environment: Environment, machine: string, ruleId: string): Promise<boolean> {
    const found = await absentAsUndefined(`looking at what monitors ${machine}`, () =>
      resourcesOf(environment.subscriptionId).getById(associationId(environment, machine, ruleId), version),
    );
    const properties = found?.properties as { dataCollectionRuleId?: string } | undefined;
    return properties !== undefined && sameId(properties.dataCollectionRuleId, ruleId);
  }

  return {
    async requireRule(ruleId) {
      const { subscriptionId } = parseIdOf('Microsoft.Insights/dataCollectionRules', ruleId);
      const doing = `looking at the data collection rule "${ruleId}"`;
      const found = await absentAsUndefined(doing, () => resourcesOf(subscriptionId).getById(ruleId, version));
      if (found !== undefined) return;
      throw terminal(
        'notFound',
        `There is no data collection rule "${ruleId}".`,
        'Make it, or name one that is there, then retry.',
      );
    },
    isAssociated,
    async associate(environment, machine, ruleId) {
      if (await isAssociated(environment, machine, ruleId)) return;
      const { subscriptionId, resourceGroup } = environment;
      const doing = `putting ${machine} under the data collection rule "${ruleId}"`;
      const { tags } = await attempt(doing, () =>
        clients.compute(subscriptionId).virtualMachines.get(resourceGroup, machine),
      );
      requireOurs(`The machine "${machine}"`, tags);
      const properties = { dataCollectionRuleId: ruleId, description: 'Made by Landfall.' };
      const id = associationId(environment, machine, ruleId);
      await finish(doing, () => resourcesOf(subscriptionId).createOrUpdateById(id, version, { properties }, often));
    },
    async dissociate(environment, machine, ruleId) {
      const id = associationId(environment, machine, ruleId);
      await absentAsUndefined(`taking ${machine} from under the data collection rule "${ruleId}"`, () =>
        resourcesOf(environment.subscriptionId).deleteById(id, version, often),
      );
    },
  };
}
