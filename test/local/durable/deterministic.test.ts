import { expect, test } from 'vitest';
import { DeterministicEngine, type DeterministicOptions } from '../../../local/durable/deterministic.ts';
import { effects } from './fixtures/everything/effects.ts';
import { functionsOf } from './testEngine.ts';

const functions = await functionsOf();
const rehearse = (options: Partial<DeterministicOptions> = {}) => new DeterministicEngine({ ...functions, ...options });

const rough = { crash: 0.2, duplicate: 0.15, reorder: 0.3, delay: { probability: 0.3, most: 5000 } };

/** Runs one of each; what came of it. */
async function story(seed: number, options: Partial<DeterministicOptions> = {}) {
  effects.runs.clear();
  const engine = rehearse({ seed, faults: rough, alwaysReplay: true, ...options });
  const ids = ['chain', 'fan', 'retry', 'family', 'events', 'counter'].map((name) => `${name}-${seed}`);
  const [chain = '', fan = '', retry = '', family = '', events = '', counter = ''] = ids;
  await engine.start('sequence', { instanceId: chain });
  await engine.start('fanOut', { instanceId: fan, input: 8 });
  await engine.start('retries', { instanceId: retry, input: { times: 1, attempts: 9 } });
  await engine.start('parent', { instanceId: family });
  await engine.start('deadline', { instanceId: events });
  await engine.raiseEvent(events, 'approval', 'yes');
  await engine.start('eternal', { instanceId: counter, input: { seen: [], wanted: 6 } });
  for (let item = 0; item < 6; item++) await engine.raiseEvent(counter, 'item', item);
  const outputs: unknown[] = [];
  for (const id of ids) outputs.push((await engine.ended(id)).output);
  const end = engine.clock.iso();
  await engine.stop();
  return { outputs, end, crashes: engine.crashes, runs: [...effects.runs] };
}

const promised = (seed: number): unknown[] => [
  [1, { x: 'é"' }, 'text', null],
  [0, 1, 2, 3, 4, 5, 6, 7],
  [`retry-${seed}-a`, 'beside', `retry-${seed}-b`, 'after'],
  expect.objectContaining({ one: 'one! of a parent', two: 'two! of a parent' }),
  ['yes', 'went on'],
  [0, 1, 2, 3, 4, 5],
];

test('whatever crashes, comes twice, late or in another order, every orchestration ends as it should', async () => {
  let crashes = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const told = await story(seed);
    expect(told.outputs, `seed ${seed}`).toEqual(promised(seed));
    crashes += told.crashes;
  }
  expect(crashes).toBeGreaterThan(50);
});

test('the same seed tells the same story, another seed another one', async () => {
  const first = await story(7);
  expect(await story(7)).toEqual(first);
  expect((await story(8)).end).not.toBe(first.end);
});

test('a crash on either side of any commit changes nothing', async () => {
  let crashed = 0;
  for (const side of ['before', 'after'] as const) {
    for (let moment = 1, isOver = false; !isOver; moment++) {
      const faults = { crash: (commit: number) => (commit === moment ? side : undefined) };
      const told = await story(moment, { faults });
      expect(told.outputs, `${side} commit ${moment}`).toEqual(promised(moment));
      crashed += told.crashes;
      isOver = told.crashes === 0;
    }
  }
  expect(crashed).toBeGreaterThan(30);
});

test('a story that cannot go on is reported, not waited for', async () => {
  const engine = rehearse();
  await engine.start('two', { instanceId: 'lost' });
  await expect(engine.ended('lost')).rejects.toThrow('never happened: lost ends');
  await engine.stop();
});

test('always-replay names the step that an orchestrator does not repeat', async () => {
  let drawn = 0;
  const chance = Math.random;
  Math.random = () => ++drawn;
  try {
    const plain = rehearse();
    await plain.start('draws', { instanceId: 'plain' });
    expect((await plain.ended('plain')).runtimeStatus).toBe('Completed');
    const strict = rehearse({ alwaysReplay: true });
    await strict.start('draws', { instanceId: 'strict' });
    const { runtimeStatus, output } = await strict.ended('strict');
    expect(runtimeStatus).toBe('Failed');
    expect(output).toMatch(
      /step 2 was callActivity "echo" with \d+ in the first of two replays and is now callActivity "echo" with \d+\./,
    );
    await plain.stop();
    await strict.stop();
  } finally {
    Math.random = chance;
  }
});

test('always-replay notices a result or a status that differs, not only an action', async () => {
  let now = 0;
  const engine = rehearse({
    alwaysReplay: true,
    invoke: async ({ kind }) => ({
      ...{ isDone: true, actions: [], customStatus: undefined },
      output: kind === 'orchestration' ? now++ : undefined,
    }),
  });
  await engine.start('sequence', { instanceId: 'ends' });
  expect((await engine.ended('ends')).output).toContain('step 1 was the end with 0');
  await engine.stop();
});

test('a timer that fires while the engine crashes fires once for its orchestration', async () => {
  let crashes = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const engine = rehearse({ seed, faults: { crash: 0.4, duplicate: 0.5 } });
    await engine.start('sleeps', { instanceId: 'sleeper', input: 400 });
    expect((await engine.ended('sleeper')).output).toBe(400);
    const history = engine.durable.status('sleeper', { showHistory: true })?.historyEvents ?? [];
    expect(history.filter(({ EventType }) => EventType === 'TimerFired')).toHaveLength(1);
    crashes += engine.crashes;
    await engine.stop();
  }
  expect(crashes).toBeGreaterThan(30);
});

test('a fan-out that is terminated stays terminated, whatever its activities still return', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const engine = rehearse({ seed, faults: { ...rough, delay: { probability: 1, most: 10_000 } } });
    await engine.start('fanOut', { instanceId: 'wide', input: 60 });
    const finished = () =>
      (engine.durable.status('wide', { showHistory: true })?.historyEvents ?? []).filter(
        ({ EventType }) => EventType === 'TaskCompleted',
      ).length;
    await engine.until(() => finished() >= 20, 'a third has come back');
    await engine.terminate('wide', 'enough');
    expect(await engine.ended('wide')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await engine.until(() => engine.isIdle, 'nothing is left to do');
    expect(finished()).toBeLessThan(60);
    expect(engine.durable.status('wide')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await engine.stop();
  }
});

test('activities fail by rule', async () => {
  const engine = rehearse({
    faults: { fail: ({ name, input }) => (name === 'echo' && input === 'text' ? new Error('by rule') : undefined) },
  });
  await engine.start('sequence', { instanceId: 'ruled' });
  expect((await engine.ended('ruled')).output).toContain('by rule');
  await engine.stop();
});
