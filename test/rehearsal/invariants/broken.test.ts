// Each invariant broken on purpose, by a world, an activity or a person that does what none may do, and seen to be caught.
import { afterEach, describe, expect, test } from 'vitest';
import { nothingStuck } from '../../../rehearsal/end/nothingStuck.ts';
import type { Interference } from '../../../rehearsal/world/world.ts';
import type { GateDocument } from '../../../shared/store/documents.ts';
import { environment, onlyDb, startOfDay } from '../../orchestrators/world/definitions.ts';
import { throttled } from '../../orchestrators/world/expectations.ts';
import { World } from '../../orchestrators/world/world.ts';

let world: World;
afterEach(() => world.close());

/** The story goes on as far as it comes: what matters is what was found. */
async function breaks(
  sabotage: (world: World) => void,
  options: Parameters<typeof World.open>[0] = {},
): Promise<string[]> {
  world = await World.open({ change: onlyDb, replay: 'live', ...options });
  world.motion.expects = () => true;
  sabotage(world);
  await world.start();
  try {
    await world.until(() => world.monitor.findings.length > 0 || world.hasEnded() || world.openQuestions().length > 0);
  } catch {
    // It never ends: also a way to be broken.
  }
  return world.monitor.findings.map(({ invariant }) => invariant.split('.')[0] ?? '');
}

/** Activities of that name answer this instead of doing anything. */
const instead = (answers: Record<string, unknown>): Interference => ({
  perform: async (name, _call, capabilities, run) => (name in answers ? { value: answers[name] } : run(capabilities)),
});

const db = () => world.hosts.machine('db-01');
const open = `${environment.settings?.placement?.quarantineNetworkSecurityGroupId ?? ''}-not`;

test('a story in which nothing is broken has no findings', async () => {
  expect(await breaks(() => {})).toEqual([]);
});

describe('is caught', () => {
  test('1: a source that somebody starts again beside its open target', async () => {
    const found = await breaks(() => {
      world.script.once('applyAction', async () => {
        db().nicConnected = true;
        db().power = 'on';
        world.hosts.setService('db-01', 'engine', 'running');
      });
    });
    expect(found).toContain('1');
  });

  test('2: a source that goes off with neither a target nor an undo', async () => {
    const found = await breaks(() => {
      world.script.once('openGate', () => world.hosts.of(db().source)!.powerOff(db().source));
    });
    expect(found).toContain('2');
  });

  test('3: a disk without the tag of its wave', async () => {
    const found = await breaks(() => {
      const { beginImportDisk } = world.azure.compute;
      world.azure.compute.beginImportDisk = (where, disk, ownership) =>
        beginImportDisk(where, disk, { ...ownership, wave: '' });
    });
    expect(found).toContain('3');
  });

  test('4: replicated data that is deleted after a failure', async () => {
    const found = await breaks(() => {
      world.script.once('requestSync', () => world.azure.staging.removeBlob(environment, 'w1/db/os.vhd'));
    });
    expect(found).toContain('4');
  });

  test('4: a target that is deleted although nobody decided to go back', async () => {
    const found = await breaks(() => {
      world.script.once('listActions', () => world.azure.compute.beginDeleteMachine(environment, 'db-01'));
    });
    expect(found).toContain('4');
  });

  test('4: clones that are removed by expiry, and nothing on record says so', async () => {
    const found = await breaks(() => {
      world.script.once(
        'recordLaunch',
        () => {
          const groups = [{ groupId: 'data', workloadIds: ['db'], withSecurityGroup: false }];
          const input = { waveId: 'w1', environmentId: 'west', day: '2026-12-05', groups };
          world.motion.aside(world.durable.start('expire', { instanceId: 'expire-w1-2026-12-05', input }));
        },
        { matches: ({ purpose }) => purpose === 'test' },
      );
    });
    expect(found).toContain('4');
  });

  test('4: a target that is deleted after an order that leads nowhere back', async () => {
    const found = await breaks(() => {
      world.script.once('openGate', () => world.people.resume());
      world.script.once('listActions', () => world.azure.compute.beginDeleteMachine(environment, 'db-01'));
    });
    expect(found).toContain('4');
  });

  test('5: an activity that makes a machine anew each time it runs', async () => {
    const found = await breaks(
      () => {
        const { beginMachine } = world.azure.compute;
        world.azure.compute.beginMachine = (where, machine, ownership) => {
          world.azure.resources.delete(`machine/${machine.name}`);
          return beginMachine(where, machine, ownership);
        };
      },
      { times: 2 },
    );
    expect(found).toContain('5');
  });

  test('6: a second sync of a source that is being read', async () => {
    const found = await breaks(() => {
      world.script.once('requestSync', () => {
        const sent = world.bus.sent.find(({ command }) => command.type === 'landfall.sync.start')?.command;
        if (sent?.type !== 'landfall.sync.start') throw new Error('no sync was sent');
        const data = { ...sent.data, workloadId: 'db-01', syncId: 'another' };
        world.appliances.receive({ ...sent, operationId: 'another', data });
      });
    });
    expect(found).toContain('6');
  });

  test('7: an approval by whoever started the wave', async () => {
    const found = await breaks(() => {
      world.people.atGate = {};
      world.onWritten = (document) => {
        const gate = document as unknown as GateDocument;
        if (gate.kind !== 'gate' || gate.decisions.length > 0) return;
        const own = { by: 'ada', decision: 'approve' as const, comment: '', at: world.capabilities.now() };
        const approve = (current: GateDocument) => ({ ...current, status: 'approved' as const, decisions: [own] });
        world.motion.aside(world.capabilities.store.gates.change(gate.waveId, gate.id, approve));
      };
    });
    expect(found).toContain('7');
  });

  test.each([
    ['after its window has closed', '2026-12-06T00:59:55.000Z'],
    ['too late in its window to come to an end or back', '2026-12-06T00:59:35.000Z'],
  ])('8: a cutover that begins %s', async (_when, start) => {
    const seconds = { expected: 0, high: 0 };
    const fits = { verdict: 'fits', nextWindow: null, reason: '', downtimeSeconds: seconds, undoSeconds: seconds };
    const found = await breaks(
      () => {
        const at = { opens: '2026-12-05T21:00:00.000Z', closes: '2027-12-05T21:00:00.000Z' };
        world.interference = instead({
          judgeFit: { ...fits, window: at, latestSafeStart: at.closes },
          goNoGo: { lagSeconds: 0 },
        });
      },
      { start },
    );
    expect(found).toContain('8');
  });

  test.each([
    ['a source that goes off', 'shutdownPolicy', '2026-12-06T00:40:00.000Z'],
    ['a source that goes off when its window has closed', 'shutdownPolicy', '2026-12-06T01:00:00.000Z'],
    ['traffic that moves', 'createMachine', '2026-12-06T00:46:00.000Z'],
  ])('8: %s although the rest and the way back do not fit any more', async (_what, activity, until) => {
    const retryAfterSeconds = (Date.parse(until) - Date.parse(startOfDay)) / 1000;
    const found = await breaks(() => {
      world.interference = instead({ withinWindow: { may: true, onOverrun: 'ask', reason: '' } });
      world.script.fail(
        activity,
        { ...throttled, retryAfterSeconds },
        { matches: ({ purpose }) => purpose !== 'test' },
      );
    });
    expect(found).toEqual(['8']);
  });

  test('9: a target that is cut off after traffic has moved, and nobody accepted the loss', async () => {
    const found = await breaks(() => {
      world.script.once('checkPlan', () => world.azure.compute.beginDeleteMachine(environment, 'db-01'), {
        matches: ({ purpose }) => purpose === 'cutover',
      });
    });
    expect(found).toContain('9');
  });

  test('9: a target that is cut off after traffic has moved, and only a policy that has not decided accepts the loss', async () => {
    const found = await breaks(
      () => {
        world.script.once('checkPlan', () => world.azure.compute.beginDeleteMachine(environment, 'db-01'), {
          matches: ({ purpose }) => purpose === 'cutover',
        });
      },
      {
        change: (posted) => {
          onlyDb(posted);
          posted.commitPolicy = { onFailed: 'rollback', acceptDataLoss: 'nobody writes before the commit' };
        },
      },
    );
    expect(found).toContain('9');
  });

  test('9: a target that is launched outside its quarantine', async () => {
    const found = await breaks(() => {
      const { beginMachine } = world.azure.compute;
      world.azure.compute.beginMachine = (where, machine, ownership) =>
        beginMachine(where, { ...machine, networkSecurityGroupId: open }, ownership);
    });
    expect(found).toContain('9');
  });

  test('10: a store that keeps another state than its events tell', async () => {
    const found = await breaks(() => {
      const note = world.note.bind(world);
      world.note = (document) => {
        const { state } = document as unknown as { state?: object };
        note(document.kind === 'state' ? { ...document, ...{ state: { ...state, phase: 'committed' } } } : document);
      };
    });
    expect(found).toContain('10');
  });

  test('an orchestration with more than 200 children', async () => {
    await breaks(() => {});
    world.children.set('group-w1.data-1', new Set(Array.from({ length: 201 }, (_, index) => `child-${index}`)));
    expect(nothingStuck(world)).toEqual(['group-w1.data-1 has 201 children']);
  });
});
