// Sub-orchestrations: in parallel, nested, failing.
import { expect, test } from 'vitest';
import { hours, world } from './fixtures/office/world.ts';
import { engine, inEveryMode, pass, run } from './rehearsal.ts';

inEveryMode('families', () => {
  test('sub-orchestrations run in parallel under ids of their own and know their parent', async () => {
    const names = ['lamp', 'lock', 'oven'];
    await engine.start('devices', { instanceId: 'house', input: names });
    await pass(1 * hours);
    for (const name of names) {
      expect(engine.durable.status(`house-${name}`)).toMatchObject({ name: 'device', runtimeStatus: 'Running' });
    }
    for (const name of names.toReversed()) await engine.raiseEvent(`house-${name}`, 'ready', null);
    expect((await engine.ended('house')).output).toEqual(names.map((device) => ({ device, by: 'house' })));
  });

  test('sub-orchestrations nest', async () => {
    expect((await run('sumOfSquares', [1, 9])).output).toBe(285);
    expect(engine.durable.query({ runtimeStatus: ['Completed'] }).instances).toHaveLength(17);
  });

  test('a sub-orchestration that fails is caught like an activity, the others go on', async () => {
    world.isBroken = (name) => name === 'b';
    expect((await run('foreman', ['a', 'b', 'c'])).output).toEqual([
      'a done',
      expect.stringMatching(/^worker: .*b is broken/),
      'c done',
    ]);
  });

  test('a failure passes through a parent that does not catch it, and the reason with it', async () => {
    world.isBroken = (name) => name.startsWith('enable');
    await engine.start('devices', { instanceId: 'house', input: ['lamp'] });
    await pass(1 * hours);
    await engine.raiseEvent('house-lamp', 'ready', null);
    const output = expect.stringContaining('enable lamp is broken');
    expect(await engine.ended('house')).toMatchObject({ runtimeStatus: 'Failed', output });
    expect(engine.durable.status('house-lamp')).toMatchObject({ runtimeStatus: 'Failed', output });
  });
});
