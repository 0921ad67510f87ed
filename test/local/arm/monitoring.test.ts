import { afterAll, beforeAll, expect, it } from 'vitest';
import { all, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const group = 'rg-watched';
const inGroup = (rest: string): string => `${scope}/resourceGroups/${group}/providers/${rest}`;
const rule = inGroup('Microsoft.Insights/dataCollectionRules/servers');
const watched = inGroup('Microsoft.Storage/storageAccounts/files');
const associationId = `${watched}/providers/Microsoft.Insights/dataCollectionRuleAssociations/ours`;
const version = '2022-06-01';
let world: World;

beforeAll(async () => {
  world = await startWorld({
    declared: {
      subscriptions: [{ subscriptionId, location, quota: { cores: 1 } }],
      resources: [
        { id: rule, body: { location } },
        { id: watched, body: { location } },
      ],
    },
  });
});
afterAll(() => world.stop());

const resources = () => world.as(owner).resources.resources;
const put = (properties: object, id = associationId) =>
  resources().createOrUpdateById(id, version, { properties } as object);

it('a resource is associated with a data collection rule, again without a change, and not any more', async () => {
  const properties = { dataCollectionRuleId: rule, description: 'for a test' };
  for (let time = 0; time < 2; time++)
    expect(await put(properties)).toMatchObject({ id: associationId, name: 'ours', properties });
  expect(await resources().getById(associationId, version)).toMatchObject({ properties });
  const listed = await all(resources().listByResourceGroup(group));
  expect(listed.map(({ name }) => name).sort()).toEqual(['files', 'servers']);
  for (let time = 0; time < 2; time++) await resources().deleteById(associationId, version);
  await expect(resources().getById(associationId, version)).rejects.toMatchObject({ statusCode: 404 });
});

it('what is not there is not associated, nor with what is not there, nor with more than a rule', async () => {
  await expect(put({ dataCollectionRuleId: `${rule}-other` })).rejects.toMatchObject({ code: 'InvalidPayload' });
  await expect(put({ dataCollectionRuleId: watched })).rejects.toMatchObject({ code: 'InvalidPayload' });
  await expect(put({ dataCollectionRuleId: rule }, associationId.replace('/files/', '/none/'))).rejects.toMatchObject({
    statusCode: 404,
  });
  await expect(put({ dataCollectionRuleId: rule, dataCollectionEndpointId: rule })).rejects.toMatchObject({
    code: 'NotSimulated',
  });
});
