// What is told to others in the modelled world: once for each id, under the same id however often it is tried, and taken
// back only if it was told.
import { afterEach, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { broken } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const url = 'https://desk.example.com/landfall';
const backUrl = 'https://desk.example.com/landfall/back';
const telling = (posted: Parameters<typeof onlyDb>[0]): void => {
  onlyDb(posted);
  const actions = posted.groups[0]?.workloads[0]?.settings?.cutover?.actions;
  const undo = { url: backUrl, body: { ticket: 'CHG1', gone: true } };
  actions?.splice(1, 0, { kind: 'webhook', name: 'desk', url, body: { ticket: 'CHG1' }, undo });
};
const told = () => world.webhooks.told;

test.each([1, 2])('a committed workload was told of once, each activity running %i×', async (times) => {
  world = await World.open({ change: telling, times });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(told()).toMatchObject([
    {
      url,
      event: {
        type: 'landfall.webhook.applied',
        subject: 'db',
        data: {
          ...{ waveId: 'w1', workloadId: 'db', action: 'desk', target: 'db-01', body: { ticket: 'CHG1' } },
          address: expect.stringMatching(/^10\./),
        },
      },
    },
  ]);
});

test('a retry of the step tells it under the same id, also where the answer was lost', async () => {
  world = await World.open({ change: telling });
  world.script.fail('applyAction', broken, { matches: ({ index }) => index === 1, when: 'after' });
  await world.start();
  await world.question();
  const [first] = told();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
  expect(told()).toEqual([first]);
  const calls = world.script.calls.filter(({ name, input }) => name === 'applyAction' && input['index'] === 1);
  expect(new Set(calls.map(({ operationId }) => operationId)).size).toBe(2);
});

test('what was told is taken back under an id of its own, and the journal says so in order', async () => {
  world = await World.open({ change: telling });
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  await world.people.rollBack();
  await world.ended();
  const [first, second, ...others] = told();
  expect(others).toEqual([]);
  expect(second).toMatchObject({
    url: backUrl,
    event: {
      id: `${first?.event.id}:undo`,
      type: 'landfall.webhook.undone',
      data: { undoes: first?.event.id, body: { ticket: 'CHG1', gone: true } },
    },
  });
  const events = (await world.capabilities.store.workloads.events('w1', 'db')).map(({ event }) => event);
  const types = events.flatMap((event) => {
    if (event.type.startsWith('landfall.action.')) return [event.type];
    if (event.type !== 'landfall.effect.applied') return [];
    return event.data.changes.flatMap(({ verb, object }) => (object.includes('webhook') ? [verb] : []));
  });
  expect(types).toEqual(['landfall.action.begun', 'applied', 'landfall.action.undone', 'restored']);
  expect(world.state('db').actions).toBeUndefined();
});

test('what was never told is not taken back', async () => {
  world = await World.open({ change: telling });
  world.script.fail('applyAction', broken, { matches: ({ index }) => index === 0 });
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.ended();
  expect(told()).toEqual([]);
  expect(world.script.called('undoAction', ({ index }) => index === 1)).toBe(1);
});

test('a workload that cuts over again after a rollback is told of anew, also where nothing was told of the way back', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.groups[0]?.workloads[0]?.settings?.cutover?.actions?.splice(1, 0, { kind: 'webhook', name: 'desk', url });
    },
  });
  world.script.once('applyAction', () => world.people.rollBack(), { matches: ({ index }) => index === 1 });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.state('db').actions).toBeUndefined();
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const [first, second, ...others] = told();
  expect(others).toEqual([]);
  expect(second?.event.type).toBe('landfall.webhook.applied');
  expect(second?.event.id).not.toBe(first?.event.id);
});

test('a receiver that may not be reached is found while the source serves', async () => {
  world = await World.open({ change: telling });
  world.webhooks.refusing.add('desk.example.com');
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'stopServices', during: 'precheck' }]);
  expect(world.state('db').downtime).toBeUndefined();
  world.webhooks.refusing.clear();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('a receiver that is away on the way back is shown with what is left to be told', async () => {
  world = await World.open({ change: telling });
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  world.webhooks.refusing.add('desk.example.com');
  await world.people.rollBack();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'postCutover', during: 'undo' });
  expect(question?.todo).toContain('tell desk.example.com that "desk" was taken back');
  world.webhooks.refusing.clear();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(told()).toHaveLength(2);
});
