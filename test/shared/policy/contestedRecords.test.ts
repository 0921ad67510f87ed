import { expect, it } from 'vitest';
import { CutoverAction } from '../../../shared/actions/all.ts';
import { contestedRecords } from '../../../shared/policy/contestedRecords.ts';
import { examplePlan } from '../../fakes/reach.ts';

const [example] = examplePlan().workloads;
const zoneId =
  '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing/providers/Microsoft.Network/dnsZones/corp.example';

function withRecord(workloadId: string, record: string, type = 'A', zone = zoneId) {
  const action = { kind: 'dns', name: 'traffic', zoneId: zone, record, type, value: '{target.ip}' };
  const settings = example?.settings;
  if (settings === undefined) throw new Error('the example has no workload');
  return {
    workloadId,
    settings: { ...settings, cutover: { ...settings.cutover, actions: [CutoverAction.parse(action)] } },
  };
}

it('two workloads that change one record set are refused, however its name and zone are spelt', () => {
  const found = contestedRecords(
    [
      withRecord('db', 'app'),
      withRecord('web', 'APP', 'A', zoneId.toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions')),
    ],
    (id) => `workloads.${id}`,
  );
  expect(found).toMatchObject([{ path: 'workloads.web.settings.cutover.actions', value: 'traffic' }]);
  expect(found[0]?.message).toContain('is changed by "traffic" of db as well');
});

it('records of another name or zone are no matter', () => {
  const other = zoneId.replace('corp', 'shop');
  expect(
    contestedRecords(
      [withRecord('db', 'db'), withRecord('web', 'web'), withRecord('app', 'db', 'A', other)],
      (id) => id,
    ),
  ).toEqual([]);
});
