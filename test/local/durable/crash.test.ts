import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { crash } from './crashRun.ts';
import { verify } from './crashVerify.ts';

const seeds = Number(process.env['CRASH_SEEDS'] ?? 10);
const isLong = seeds > 10;
const load = isLong ? { width: 40, reach: 400 } : { width: 10, reach: 40 };
const killsOf = (seed: number) => (isLong ? 2 + (seed % 3) : 1 + Number(seed % 5 === 0));

const cache = mkdtempSync(join(tmpdir(), 'crash-cache-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

test('orchestrations killed under load at random moments all complete once, with every effect and event', {
  timeout: isLong ? 3_600_000 : 60_000,
}, async () => {
  let next = 1;
  let repeated = 0;
  const tell = async (seed: number) => {
    const story = await crash({ seed, kills: killsOf(seed), ...load, cache });
    expect(verify(story), `seed ${seed}`).toEqual([]);
    expect(story.unfinished, `seed ${seed}`).toHaveLength(killsOf(seed));
    expect(Math.min(...story.unfinished), `seed ${seed}`).toBeGreaterThan(0);
    repeated += story.effects.length - new Set(story.effects.map(({ instance, key }) => `${instance} ${key}`)).size;
  };
  const lane = async () => {
    try {
      while (next <= seeds) await tell(next++);
    } finally {
      next = seeds + 1;
    }
  };
  // Both end before the test does, so that neither leaves a process or a directory behind.
  const lanes = await Promise.allSettled([lane(), lane()]);
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  // The kills hit where it hurts: effects that had happened and were not yet recorded.
  expect(repeated).toBeGreaterThan(seeds);
});
