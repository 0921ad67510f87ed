import { expect, test } from 'vitest';
import { rehearse } from '../../../rehearsal/rehearse.ts';
import { smallWaves } from '../../../rehearsal/story/smallWaves.ts';
import { undisturbed } from '../../../rehearsal/story/story.ts';
import { rehearsedApp, type World } from '../../../rehearsal/world/world.ts';
import type { Command } from '../../../shared/protocol/commands.ts';

const app = await rehearsedApp();

/** A wave that is rolled back while the checks of its validation wait for an appliance that is silent, so many hours. */
async function leavesBehind(answerWithin: string) {
  const drawn = smallWaves(1);
  const rehearsed = { ...drawn, waves: drawn.waves.slice(0, 1) };
  for (const { settings } of rehearsed.waves.flatMap(({ groups }) => groups.flatMap(({ workloads }) => workloads)))
    if (settings !== undefined)
      settings.validation = {
        checks: [{ kind: 'tcp', name: 'answers', host: 's0.cellar.example', port: 443, expect: 'open' }],
        answerWithin,
      };
  const prepare = (world: World): void => {
    const validates = ({ type, operationId }: Command) =>
      type === 'landfall.check.run' && operationId.includes('-cutover-');
    world.appliances.ignores = validates;
    world.script.once('commandTarget', () => world.people.rollBack('replicating', undefined, 'w1'), {
      matches: ({ operationId }) => String(operationId).includes('-cutover-'),
    });
  };
  return rehearse(app, rehearsed, 1, { change: undisturbed, prepare });
}

test('checks that an order leaves behind end by themselves', async () => {
  const { waves, findings } = await leavesBehind('PT15M');
  expect(waves).toEqual({ w1: 'rolledBack' });
  expect(findings).toEqual([]);
});

test('checks that an order leaves behind for ever are stuck', async () => {
  const { waves, findings } = await leavesBehind('P30D');
  expect(waves).toEqual({ w1: 'rolledBack' });
  expect(findings.map(({ what }) => what)).toEqual([
    expect.stringContaining('check-w1.s0-cutover-1-1 is Running'),
    expect.stringContaining('crew-w1.g0-1-check-cutover-1.0.0 is Running'),
  ]);
});
