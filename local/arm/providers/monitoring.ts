// Microsoft.Insights: associations of resources with data collection rules. Rules are declared, and nothing is collected.
// https://learn.microsoft.com/rest/api/monitor/data-collection-rule-associations/create
import { z } from 'zod';
import type { Kernel, ResourceType } from '../contract.ts';
import { badRequest, notFound, notSimulated } from '../http/errors.ts';
import { lastName } from '../ids.ts';
import { parse } from '../json.ts';
import { existing } from './common.ts';

const associationType = 'Microsoft.Insights/dataCollectionRuleAssociations';
const ruleType = 'Microsoft.Insights/dataCollectionRules';
const simulated: ReadonlySet<string> = new Set(['dataCollectionRuleId', 'description']);

const associationBody = z.looseObject({
  properties: z.looseObject({
    dataCollectionRuleId: z.string().default(''),
    description: z.string().optional(),
  }),
});

export function monitoringProvider(kernel: Kernel): ResourceType[] {
  const { store } = kernel;
  const associations: ResourceType = {
    type: associationType,
    put(request) {
      const { path, scope } = request.target;
      if (!store.get(scope)) throw notFound(`The Resource '${scope}' was not found.`, 'ResourceNotFound');
      const { properties } = parse(associationBody, request.body);
      const beyond = Object.keys(properties).find((name) => !simulated.has(name));
      if (beyond !== undefined) throw notSimulated(`'${beyond}' of an association is not simulated.`);
      const { dataCollectionRuleId: ruleId } = properties;
      if (store.get(ruleId)?.type.toLowerCase() !== ruleType.toLowerCase())
        throw badRequest('InvalidPayload', `Data collection rule with ID '${ruleId}' was not found.`);
      const known = store.get(path) !== undefined;
      const head = { id: path, name: lastName(path), type: associationType };
      const stored = store.put(path, associationType, {
        ...head,
        properties: { ...properties, provisioningState: 'Succeeded' },
      });
      return { status: known ? 200 : 201, body: stored.body };
    },
    get: ({ target }) => ({ status: 200, body: existing(kernel, target.path, associationType).body }),
    list: ({ target }) => ({
      status: 200,
      body: { value: store.within(target.scope, associationType).map(({ body }) => body) },
    }),
    delete({ target }) {
      if (!store.get(target.path)) return { status: 204 };
      store.remove(target.path);
      return { status: 200 };
    },
  };
  return [associations];
}
