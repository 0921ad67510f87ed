import { expect, it } from 'vitest';
import { InTurn } from '../../../appliance/commands/inTurn.ts';

it('work of one workload waits for what came before it, even if that fails; another workload’s does not', async () => {
  const turns = new InTurn();
  const seen: string[] = [];
  const stop = Promise.withResolvers<void>();
  const first = turns.run('w1/db', async () => {
    await stop.promise;
    seen.push('stopped');
    throw new Error('one service hung');
  });
  const second = turns.run('w1/db', async () => seen.push('started'));
  await turns.run('w1/web', async () => seen.push('web'));
  expect(seen).toEqual(['web']);
  stop.resolve();
  await expect(first).rejects.toThrow('one service hung');
  await second;
  expect(seen).toEqual(['web', 'stopped', 'started']);
});
