// How Azure says that a script ended otherwise than by itself: the local Azure lets each one end, so its client is played.
import { expect, it } from 'vitest';
import type { Clients } from '../../../shared/azure/clients.ts';
import { runScriptOnce } from '../../../shared/azure/scripts.ts';
import { environment } from '../../fakes/definitions.ts';
import { failureOf } from './target.ts';

/** Clients of an Azure in which a script that was put has this instance view. */
function ending(instanceView: object): Clients {
  let isThere = false;
  const virtualMachineRunCommands = {
    async getByVirtualMachine() {
      if (isThere) return { instanceView };
      throw Object.assign(new Error('none'), { statusCode: 404, code: 'ResourceNotFound' });
    },
    async createOrUpdate() {
      isThere = true;
    },
  };
  const get = async () => ({ location: 'westeurope', tags: { 'landfall:owner': 'landfall' } });
  return { compute: () => ({ virtualMachines: { get }, virtualMachineRunCommands }) } as unknown as Clients;
}
const run = (instanceView: object) =>
  runScriptOnce(ending(instanceView), environment, 'db-01', { id: 'one', lines: ['sleep 99'], withinSeconds: 1 });

it.each(['TimedOut', 'Canceled'])(
  'a script that is %s has not ended in its time, and is told with what it said',
  async (executionState) => {
    expect(await failureOf(run({ executionState, output: 'waiting for the lock' }))).toMatchObject({
      ...{ code: 'timeout', kind: 'terminal' },
      message: expect.stringContaining(executionState),
      detail: expect.stringContaining('waiting for the lock'),
    });
  },
);

it('one that never began on the machine is told with what Azure says', async () => {
  const failed = run({ executionState: 'Failed', executionMessage: 'no agent' });
  expect(await failureOf(failed)).toMatchObject({
    code: 'azureRejected',
    message: expect.stringContaining('no agent'),
  });
});

it('one that Azure calls succeeded without a code has ended with 0', async () => {
  expect(await run({ executionState: 'Succeeded', output: 'done' })).toEqual({
    exitCode: 0,
    output: 'done',
    error: '',
  });
});
