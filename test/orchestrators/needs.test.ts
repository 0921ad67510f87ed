// Groups that wait for others: in their own wave, and in a wave that may be started much later.
import { afterEach, expect, test } from 'vitest';
import { WaveDefinition } from '../../shared/model/wave.ts';
import { definitionOf, onlyDb } from './world/definitions.ts';
import { times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

type Waits = NonNullable<(typeof WaveDefinition)['_zod']['input']['groups'][number]['dependsOn']>;

/** The group `shop` as a wave of its own, `w2`, that waits for something of `w1`, which has the group `data`. */
async function twoWaves(waits: Waits): Promise<void> {
  world = await World.open({ change: onlyDb });
  const shop = definitionOf((posted) => {
    posted.id = 'w2';
    posted.groups = posted.groups.filter(({ id }) => id === 'shop').map((group) => ({ ...group, dependsOn: waits }));
  });
  await world.people.post(WaveDefinition.parse(shop));
}
const shop = () => world.wave('w2').groups['shop'];

test('a group waits for a group of a wave that starts later, says so, and goes on once that has committed', async () => {
  await twoWaves([{ wave: 'w1', group: 'data' }]);
  await world.start('w2');
  await world.until(() => shop()?.status === 'waiting');
  expect(shop()?.reason).toBe('waits for group data of wave w1');
  expect(world.phases()).toMatchObject({ app: 'tested', web: 'tested', db: 'registered' });
  world.script.once('openGate', () => expect(world.phases()['db']).toBe('committed'), {
    matches: ({ groupId, name }) => groupId === 'shop' && name === 'cutover',
  });
  await world.start('w1');
  expect((await world.ended('w1')).status).toBe('committed');
  expect((await world.ended('w2')).status).toBe('committed');
});

test('a wave that was rolled back is waited for until it has been started again and has committed', async () => {
  await twoWaves([{ wave: 'w1' }]);
  world.script.once('applyAction', () => world.people.rollBack('replicating', undefined, 'w1'));
  await world.start('w2');
  await world.start('w1');
  expect((await world.ended('w1')).status).toBe('rolledBack');
  await world.until(() => shop()?.status === 'waiting');
  await world.start('w1');
  expect((await world.ended('w2')).status).toBe('committed');
  expect(world.wave('w1')).toMatchObject({ status: 'committed', attempt: 2 });
});

test('one workload that waits for one elsewhere makes its group wait, and only for that one', async () => {
  await twoWaves([{ wave: 'w1', kind: 'mapped', pairs: [{ workload: 'app', needs: 'db' }] }]);
  await world.start('w2');
  await world.until(() => shop()?.status === 'waiting');
  expect(shop()?.reason).toBe('waits for workload db of wave w1');
  await world.start('w1');
  expect((await world.ended('w2')).status).toBe('committed');
});

test('a workload that was moved goes with the wave that it came to, and the other wave goes without it', async () => {
  await twoWaves([]);
  await world.people.move({ id: 'w2', wid: 'web' }, { to: 'w1', group: 'data', dependsOn: ['db'] });
  await world.start('w1');
  expect((await world.ended('w1')).status).toBe('committed');
  expect(world.changes.indexOf('web-01 off')).toBeLessThan(world.changes.indexOf('db-01 off'));
  await world.start('w2');
  expect((await world.ended('w2')).status).toBe('committed');
  expect(world.phases()['app']).toBe('committed');
  for (const id of ['db-01', 'web-01', 'app-01']) expect(times(world, `create machine/${id}`)).toBe(1);
  const left = await world.capabilities.store.workloads.get('w2', 'web');
  expect(left?.state.phase).toBe('unregistered');
});

test('a group that waits can be told to stop', async () => {
  await twoWaves([{ wave: 'w1' }]);
  await world.start('w2');
  await world.until(() => shop()?.status === 'waiting');
  await world.people.cancel('w2');
  expect((await world.ended('w2')).status).toBe('cancelled');
  expect(world.phases()).toMatchObject({ app: 'withdrawn', web: 'withdrawn' });
});

test('who waits for one workload goes on once that has committed, also while others of its group still wait', async () => {
  world = await World.open({
    change: (posted) => {
      for (const group of posted.groups) {
        const pairs = [{ workload: 'db', needs: 'web' }];
        group.dependsOn = group.id === 'data' ? [{ group: 'shop', kind: 'mapped', pairs }] : [];
        for (const workload of group.workloads) workload.dependsOn = [];
      }
    },
  });
  delete world.people.atGate.cutover;
  const gates = () => world.openGates().filter(({ name }) => name === 'cutover');
  await world.start();
  await world.until(() => gates().length === 1 && world.wave().groups['data']?.status === 'waiting', 'data waits');
  await world.people.turn('rush', 'web');
  await world.until(() => gates()[0]?.workloadIds.length === 1, 'a gate for web alone');
  const [asked] = gates();
  if (asked === undefined) throw new Error('no gate');
  await world.people.approve(asked);
  await world.until(() => gates().length === 2, 'app and db are asked about');
  world.people.atGate.cutover = 'approve';
  for (const gate of gates()) await world.people.decide(gate);
  expect((await world.ended()).status).toBe('committed');
});
