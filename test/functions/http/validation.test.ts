import { expect, it } from 'vitest';
import { gateOf } from '../../fakes/gates.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const path = '/api/waves/w1/groups/data/validate';
const body = { reason: 'the disk is mended' };

async function started() {
  const one = api();
  await withWave(one.reach);
  await one.ask('POST', '/api/waves/w1/start', { as: 'ada' });
  return one;
}

it('orders another turn of validation from the group alone while its commit gate is open', async () => {
  const { ask, reach } = await started();
  await reach.store.gates.open(gateOf({ groupId: 'data', name: 'commit' }));
  expect((await ask('POST', path, { as: 'ada', body })).status).toBe(202);
  expect(await reach.store.controls.list('w1')).toMatchObject([
    { instanceIds: ['group-w1.data-1'], signal: { action: 'revalidate', reason: body.reason } },
  ]);
});

it('answers the question that validation has asked with a retry', async () => {
  const { ask, reach } = await started();
  await reach.store.attentions.open({
    ...{
      id: 'attention.1',
      kind: 'attention',
      waveId: 'w1',
      operationId: 'group-w1.data-1:x',
      openedAt: '2026-12-01T00:00:00.000Z',
    },
    ...{ step: 'finalValidation', workloadIds: ['db'], during: 'run', choices: ['retry', 'rollback'], status: 'open' },
    failure: { code: 'checkFailed', kind: 'terminal', message: 'It failed.', suggestion: 'Mend it.' },
  });
  expect((await ask('POST', '/api/waves/w1/groups/shop/validate', { as: 'ada', body })).status).toBe(409);
  const answer = await ask('POST', path, { as: 'ada', body });
  expect(answer.body).toMatchObject({ status: 'answered', answer: { choice: 'retry', reason: body.reason } });
});

it('refuses while nobody waits for the commit, and says the way out', async () => {
  const { ask, reach } = await started();
  await reach.store.gates.open(gateOf({ groupId: 'shop', name: 'commit' }));
  await reach.store.gates.open(gateOf({ id: 'uat', groupId: 'data', name: 'uat' }));
  const answer = await ask('POST', path, { as: 'ada', body });
  expect(answer.status).toBe(409);
  expect(answer.body.detail).toContain('GET /api/waves/w1');
  expect(await reach.store.controls.list('w1')).toEqual([]);
});

it('needs an operator, a reason and a group that the wave has', async () => {
  const { ask } = await started();
  expect((await ask('POST', path, { as: 'grace', body })).status).toBe(403);
  expect((await ask('POST', path, { as: 'ada', body: {} })).status).toBe(400);
  const unknown = await ask('POST', '/api/waves/w1/groups/none/validate', { as: 'ada', body });
  expect(unknown.body.errors).toMatchObject([{ path: 'group', value: 'none' }]);
});
