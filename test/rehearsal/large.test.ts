import { expect, test } from 'vitest';
import { rehearse } from '../../rehearsal/rehearse.ts';
import { largeWave } from '../../rehearsal/story/largeWave.ts';
import { undisturbed } from '../../rehearsal/story/story.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';

test('a wave of 100 workloads in 4 groups commits, and no orchestration has more children than its replay can bear', async () => {
  const app = await rehearsedApp();
  const { waves, findings, world } = await rehearse(app, largeWave(100, 4), 1, { change: undisturbed });
  expect(findings).toEqual([]);
  expect(waves).toEqual({ large: 'committed' });
  const children = [...world.children.values()].map(({ size }) => size);
  expect(children.length).toBeGreaterThan(4);
  expect(Math.max(...children)).toBeLessThanOrEqual(200);
}, 60_000);
