// A wave of servers from the first copy to the cutover, in virtual time.
import { expect, test } from 'vitest';
import { days, hours, world } from './fixtures/office/world.ts';
import { effects, engine, inEveryMode, pass } from './rehearsal.ts';

/** On the first of January; each is copied some days later. */
async function start() {
  const now = engine.clock.now();
  const servers = Object.entries({ db: 4.5, app: 0.5, web: 2.5 });
  const input = servers.map(([name, after]) => ({ name, copied: now + after * days }));
  await engine.start('wave', { instanceId: 'wave', input });
}

async function story() {
  await start();
  const status = () => engine.durable.status('wave')?.customStatus;
  await pass(4 * days);
  expect(status()).toBe('replicating');
  await pass(16.2 * days);
  expect(status()).toBe('waiting for approval');
  await engine.raiseEvent('wave', 'approval', { by: 'a person' });
  await pass(1 * hours);
  expect(status()).toBe('waiting for the window');
  return (await engine.ended('wave')).output;
}

const approved = { daysOfCopying: [5, 1, 3], reminders: 15, cutoverAt: expect.stringMatching(/^2030-01-21T22:00:0/) };
const copied = ['start copying app', 'start copying db', 'start copying web'];
const cutover = (name: string) => [`stop ${name}`, `copy the rest of ${name}`, `switch ${name}`];

inEveryMode('three weeks', () => {
  test('daily checks, an approval on day 20, a cutover when its window opens', async () => {
    expect(await story()).toEqual({ outcome: 'moved', ...approved });
    expect(effects().slice(0, 3).sort()).toEqual(copied);
    expect(effects().slice(3)).toEqual([...cutover('db'), ...cutover('app'), ...cutover('web')]);
    await engine.until(() => engine.isIdle, 'nothing is left to do');
    expect(engine.clock.iso()).toMatch(/^2030-01-21T22:00:/);
  });

  test('the last server fails: all of them go back, last first', async () => {
    world.isBroken = (name) => name === 'switch web';
    const because = expect.stringContaining('switch web is broken');
    expect(await story()).toEqual({ outcome: 'undone', because, ...approved });
    const undone = ['web', 'app', 'db'].map((name) => `restart the old ${name}`);
    expect(effects().slice(-5)).toEqual(['stop web', 'copy the rest of web', ...undone]);
  });

  test('nobody approves: it ends after thirty days and has touched nothing', async () => {
    await start();
    expect((await engine.ended('wave')).output).toMatchObject({ outcome: 'never approved' });
    expect(engine.clock.iso()).toMatch(/^2030-02-05T00:00:0/);
    expect(effects().sort()).toEqual(copied);
  });
});
