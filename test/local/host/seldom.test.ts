import { expect, test } from 'vitest';
import { seldom } from '../../../local/host/triggers/seldom.ts';

test('the same line is said once a minute, another at once', () => {
  const said: [number, string][] = [];
  let now = 0;
  const say = seldom(
    (message) => said.push([now, message]),
    () => now,
  );
  const refused = new AggregateError([new Error('no'), new Error('refused')]);
  for (; now < 150_000; now += 500) say(now === 70_000 ? refused : new Error('away'));
  expect(said).toEqual([
    [0, 'away'],
    [60_000, 'away'],
    [70_000, 'refused'],
    [120_000, 'away'],
  ]);
});
