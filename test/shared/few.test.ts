import { expect, it } from 'vitest';
import { few } from '../../shared/few.ts';

it('does everything once, a few at a time, and answers in order', async () => {
  let now = 0;
  let most = 0;
  const items = Array.from({ length: 100 }, (_, index) => index);
  const results = await few(items, async (item, index) => {
    most = Math.max(most, ++now);
    for (let turn = 0; turn <= item % 7; turn++) await Promise.resolve();
    now--;
    return [item, index];
  });
  expect(results).toEqual(items.map((item) => [item, item]));
  expect(most).toBe(16);
  expect(await few([], () => Promise.reject(new Error('nobody')))).toEqual([]);
});

it('fails with the first failure', async () => {
  await expect(
    few([1, 2, 3], async (item) => {
      if (item > 1) throw new Error(`no ${item}`);
    }),
  ).rejects.toThrow('no 2');
});
