import { expect, it } from 'vitest';
import { tooLong } from '../../../shared/policy/planSize.ts';
import { waveDefinition } from '../../fakes/definitions.ts';
import { examplePlan } from '../../fakes/reach.ts';

const check = (length: number) => ({ kind: 'boot' as const, name: 'x'.repeat(length) });

it('a workload whose plan does not fit beside its state is named, with what would do', () => {
  const { workloads } = examplePlan();
  const settings = { ...workloads[1]!.settings, uat: { ...workloads[1]!.settings.uat, checks: [check(300_000)] } };
  const plan = { workloads: workloads.map((each, n) => (n === 1 ? { ...each, settings } : each)) };
  expect(tooLong(waveDefinition(), examplePlan())).toEqual([]);
  expect(tooLong(waveDefinition(), plan)).toMatchObject([
    {
      path: 'groups[1].workloads[0]',
      value: expect.any(Number),
      message: expect.stringMatching(/workload "app" .* characters of at most 300000/),
      fix: expect.stringContaining('shorten'),
    },
  ]);
});

it('what wave and groups say by themselves is measured without their workloads', () => {
  const definition = waveDefinition();
  definition.groups[0]!.settings = { uat: { checks: [check(300_000)], expiresAfter: 'PT1H' } };
  expect(tooLong(definition, examplePlan())).toMatchObject([{ path: 'settings' }]);
});
