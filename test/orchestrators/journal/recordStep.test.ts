import { expect, test } from 'vitest';
import { recordStep } from '../../../orchestrators/journal/activities.ts';
import { terminal } from '../../../shared/errors.ts';
import { callWith, fakeReach, withWave } from '../../fakes/reach.ts';

test('a group’s long results fit: each workload has its own, the wave has the summary', async () => {
  const reach = fakeReach();
  await withWave(reach);
  const workloadIds = ['db', 'web', 'app'];
  const results = Array.from({ length: 50 }, (_, n) => ({
    name: `check ${n}`,
    passed: true,
    detail: 'x'.repeat(20_000),
  }));
  const tested = workloadIds.map((workloadId) => ({ workloadId, results }));
  const what = {
    type: 'landfall.step.completed',
    data: { step: 'uat', attempt: 1, evidence: { tested, signOff: 'approved' } },
  };
  const input = { waveId: 'w1', workloadIds, operationId: 'group-w1.g-1:uat:1', what };
  for (const _twice of [1, 2]) expect(await recordStep.handle(reach, callWith(input))).toEqual({ value: null });
  for (const workloadId of workloadIds) {
    const document = await reach.store.workloads.get('w1', workloadId);
    expect(document?.state.steps['uat']?.evidence).toEqual({ tested: [{ workloadId, results }], signOff: 'approved' });
    expect(JSON.stringify(document).length).toBeLessThan(2_000_000);
  }
  const own = (await reach.store.journal.entries('w1')).filter(({ entry }) => entry.type === 'landfall.step.completed');
  expect(own.map(({ entry }) => entry.data)).toEqual([
    { step: 'uat', attempt: 1, evidence: { tested: { items: 3, workloads: 3 }, signOff: 'approved' }, workloads: 3 },
  ]);
});

test('a failure is cut to what every workload can keep', () => {
  const { failure } = terminal('checkFailed', 'Failed.', 'Look.', 'y'.repeat(1_000_000));
  expect(failure.detail?.length).toBeLessThan(17_000);
  expect(failure.detail).toMatch(/… \(984000 more characters\)$/);
});
