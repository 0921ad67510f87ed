import { expect, test } from 'vitest';
import { askForHelp, helpEnded } from '../../../orchestrators/journal/attention/activities.ts';
import { terminal } from '../../../shared/errors.ts';
import { callWith, fakeReach, withWave } from '../../fakes/reach.ts';

test('a question that was answered before every workload had it leads back to where the work was', async () => {
  const reach = fakeReach();
  await withWave(reach);
  const asked = { waveId: 'w1', workloadIds: ['db'], operationId: 'prepare-w1.db-1:osAgent:db:1:help' };
  await reach.store.workloads.append('w1', 'db', [
    {
      id: 'begun',
      time: reach.now(),
      source: 'platform',
      type: 'landfall.workload.phaseEntered',
      data: { phase: 'preparing', reason: 'begun' },
    },
  ]);
  const { failure } = terminal('timeout', 'It did not come.', 'Look.');
  const ask = { ...asked, step: 'osAgent', failure, during: 'run', choices: ['retry', 'rollback'] };
  const append = reach.store.workloads.append;
  reach.store.workloads.append = async () => {
    throw new Error('the store is away');
  };
  expect(await askForHelp.handle(reach, callWith(ask))).toHaveProperty('failure');
  reach.store.workloads.append = append;
  const [open] = await reach.store.attentions.list('w1');
  const attentionId = open?.id ?? '';
  const answer = { choice: 'retry' as const, by: 'ada', reason: 'mended', at: reach.now() };
  await reach.store.attentions.change('w1', attentionId, (current) => ({ ...current, status: 'answered', answer }));
  expect(await askForHelp.handle(reach, callWith(ask))).toEqual({ value: attentionId });
  const ended = { ...asked, attentionId, answer };
  expect(await helpEnded.handle(reach, callWith(ended))).toEqual({ value: null });
  expect((await reach.store.workloads.get('w1', 'db'))?.state).toMatchObject({ phase: 'preparing' });
});
