// A wave of a thousand workloads, rehearsed: how long it takes is printed, and that it stays in bounds is asserted.
import { expect, test } from 'vitest';
import { rehearse } from '../../rehearsal/rehearse.ts';
import { largeWave } from '../../rehearsal/story/largeWave.ts';
import { undisturbed } from '../../rehearsal/story/story.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';

test('a wave of 1,000 workloads in 40 groups is rehearsed in less than a minute of processor time', async () => {
  const app = await rehearsedApp();
  const [began, used] = [performance.now(), process.cpuUsage()];
  const { waves, findings, world, activities, transitions } = await rehearse(app, largeWave(1000, 40), 1, {
    change: undisturbed,
  });
  const { user, system } = process.cpuUsage(used);
  const cpuSeconds = (user + system) / 1e6;
  const most = Math.max(...[...world.children.values()].map(({ size }) => size));
  const wall = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(
    `1,000 workloads in 40 groups: ${wall} s on the clock, ${cpuSeconds.toFixed(1)} s of processor time, ${activities} activities, ${transitions} transitions, at most ${most} children\n`,
  );
  expect(findings).toEqual([]);
  expect(waves).toEqual({ large: 'committed' });
  expect(most).toBeLessThanOrEqual(200);
  expect(cpuSeconds).toBeLessThan(60);
});
