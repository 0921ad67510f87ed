import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal, transient } from '../../../shared/errors.ts';
import { callWith, type FakeReach, fakeReach, withWave } from '../../fakes/reach.ts';

let reach: FakeReach;
/** What the world does when the activity touches it. */
let world: () => void;
let touched: number;
beforeEach(async () => {
  reach = fakeReach();
  await withWave(reach);
  world = () => {};
  touched = 0;
});

const touch = defineActivity({
  name: 'touch',
  changes: 'the lamp of a source',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: Nothing,
  async effect(_reach, _input, { changed }) {
    touched++;
    changed({ verb: 'lit', object: 'lamp 1', before: 'dark', after: 'lit' });
    world();
    changed({ verb: 'lit', object: 'lamp 2' });
    return null;
  },
});
const look = defineActivity({
  name: 'look',
  input: z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) }),
  output: Nothing,
  async effect() {
    world();
    return null;
  },
});
const operationId = 'prepare-w1.db-1:touch:1';
const db = { waveId: 'w1', workloadId: 'db' };
const ask = (attempt = 1) => touch.handle(reach, callWith(db, { operationId, attempt }));
const told = async (workloadId = 'db') =>
  (await reach.store.workloads.events('w1', workloadId, 1)).map(({ event }) => event);
const waiting = async (workloadId = 'db') => (await reach.store.workloads.get('w1', workloadId))?.state.waiting;
const throws = (error: Error) => () => {
  throw error;
};

describe('an activity that changes the world', () => {
  it('is told once, however often it runs for one call', async () => {
    expect(await ask()).toEqual({ value: null });
    reach.pass(1000);
    await ask();
    await ask(2);
    expect(touched).toBe(3);
    expect(await told()).toEqual([
      {
        id: `${operationId}.applied`,
        time: '2026-12-01T00:00:00.000Z',
        source: 'platform',
        operationId,
        type: 'landfall.effect.applied',
        data: {
          activity: 'touch',
          effect: 'the lamp of a source',
          attempt: 1,
          changes: [
            { verb: 'lit', object: 'lamp 1', before: 'dark', after: 'lit' },
            { verb: 'lit', object: 'lamp 2' },
          ],
        },
      },
    ]);
  });

  it('says what it had changed when it fails for good', async () => {
    world = throws(terminal('azureRejected', 'No.', 'Ask.'));
    expect(await ask()).toMatchObject({ failure: { code: 'azureRejected' } });
    expect(await told()).toMatchObject([
      { type: 'landfall.effect.failed', data: { changes: [{ object: 'lamp 1' }], failure: { code: 'azureRejected' } } },
    ]);
  });

  it('shows in the state what it waits for, as long as the service asked, and no longer than it waits', async () => {
    world = throws(transient('throttled', 'Too much.', 'It is tried again.', 90));
    expect(await ask()).toMatchObject({ failure: { kind: 'transient' } });
    const first = { activity: 'touch', code: 'throttled', attempt: 1, since: '2026-12-01T00:00:00.000Z' };
    expect(await waiting()).toMatchObject({ [operationId]: { ...first, nextAt: '2026-12-01T00:01:30.000Z' } });
    reach.pass(90_000);
    await ask(2);
    expect(await waiting()).toMatchObject({
      [operationId]: { ...first, attempt: 2, nextAt: '2026-12-01T00:03:00.000Z' },
    });
    world = () => {};
    await ask(3);
    expect(await waiting()).toBeUndefined();
    expect((await told()).map(({ type }) => type.split('.').at(-1))).toEqual(['retried', 'retried', 'applied']);
  });

  it('no longer waits once it has failed for good, at its last try too', async () => {
    world = throws(transient('unavailable', 'Away.', 'It is tried again.'));
    await ask(7);
    expect(Object.keys((await waiting()) ?? {})).toEqual([operationId]);
    await ask(8);
    expect(await waiting()).toBeUndefined();
    expect((await told()).at(-1)?.type).toBe('landfall.effect.failed');
  });

  it('gives no answer to go on from while its entry cannot be written, and none of its tries is used up', async () => {
    const { append } = reach.store.workloads;
    reach.store.workloads.append = async () => {
      throw Object.assign(new Error('away'), { code: 503 });
    };
    expect(await ask()).toMatchObject({ untold: true, failure: { kind: 'transient' } });
    world = throws(terminal('azureRejected', 'No.', 'Ask.'));
    expect(await ask()).toMatchObject({ untold: true, failure: { kind: 'transient', code: 'unavailable' } });
    reach.store.workloads.append = append;
    world = () => {};
    expect(await ask()).toEqual({ value: null });
    expect(await told()).toHaveLength(1);
  });

  it('of no workload is told in the wave’s journal', async () => {
    const lease = defineActivity({
      name: 'lease',
      changes: 'the lease',
      input: z.strictObject({ environmentId: z.string() }),
      output: Nothing,
      async effect(_reach, _input, { changed }) {
        changed({ verb: 'leased', object: 'lab' });
        changed({ workloadId: 'web', verb: 'dismissed', object: 'agent-web' });
        return null;
      },
    });
    await lease.handle(reach, callWith({ environmentId: 'lab' }, { operationId: 'wave-w1:1:lease:1' }));
    const own = (await reach.store.journal.entries('w1')).map(({ entry }) => entry);
    expect(own.at(-1)).toMatchObject({ type: 'landfall.effect.applied', data: { changes: [{ object: 'lab' }] } });
    expect(await told('web')).toMatchObject([{ data: { changes: [{ object: 'agent-web' }] } }]);
    expect(await told('db')).toEqual([]);
  });
});

describe('an activity that only looks', () => {
  it('is not told, except while it has to be tried again', async () => {
    const both = { waveId: 'w1', workloadIds: ['db', 'web'] };
    const id = 'group-w1.g-1:look:1';
    await look.handle(reach, callWith(both, { operationId: id }));
    expect(await told()).toEqual([]);
    world = throws(transient('unavailable', 'Away.', 'It is tried again.'));
    await look.handle(reach, callWith(both, { operationId: id }));
    expect(Object.keys((await waiting('web')) ?? {})).toEqual([id]);
    world = () => {};
    await look.handle(reach, callWith(both, { operationId: id, attempt: 2 }));
    expect([await waiting('db'), await waiting('web')]).toEqual([undefined, undefined]);
  });
});
