// Orchestrators that do not repeat themselves: always-replay names the step, a plain run notices only what it can see.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { begin, end, run } from './rehearsal.ts';

describe('orchestrators that do not repeat themselves', () => {
  afterEach(async () => {
    vi.restoreAllMocks();
    await end();
  });

  const inputs =
    /^Orchestrator function '\w+' failed: Non-deterministic orchestration: step 2 was callActivity "square" with [\d.]+ in the first of two replays and is now callActivity "square" with [\d.]+\.$/;

  test.each([
    ['drawsLots', inputs],
    ['readsTheClock', inputs],
    ['counts', inputs],
    [
      'changesItsMind',
      /step 2 was (callActivity "square" with 2|createTimer "2030-06-01T00:00:00.000Z") in .* and is now/,
    ],
    ['answersAtRandom', /step 2 was the end with [\d.]+ .* in the first of two replays and is now the end with/],
  ])('under always-replay %s fails and is told the step', async (name, told) => {
    let now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => ++now);
    begin({ alwaysReplay: true });
    expect(await run(name)).toMatchObject({ runtimeStatus: 'Failed', output: expect.stringMatching(told) });
  });

  test.each(['drawsLots', 'readsTheClock', 'counts', 'answersAtRandom'])(
    'a plain run does not notice %s, as each of its replays is only held against the tasks that are open',
    async (name) => {
      begin({});
      expect((await run(name)).runtimeStatus).toBe('Completed');
    },
  );

  test('a plain run notices when an open task has become another one', async () => {
    begin({});
    const { runtimeStatus, output } = await run('changesItsMind');
    expect(runtimeStatus).toBe('Failed');
    expect(output).toMatch(/task 1 was "(square|a timer)" and is now "(square|a timer)"/);
  });

  test('ids and times that come from the context repeat themselves', async () => {
    begin({ alwaysReplay: true });
    expect((await run('repeatsItself')).output).toEqual([
      expect.stringMatching(/^[\da-f-]{36}$/),
      '2030-01-01T00:00:00.000Z',
    ]);
  });
});
