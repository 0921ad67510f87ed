// What the policies of the examples come to, rehearsed: when all goes well, and when a step fails for good.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOptions } from '../../../rehearsal/input/options.ts';
import { rehearse } from '../../../rehearsal/rehearse.ts';
import { undisturbed } from '../../../rehearsal/story/story.ts';
import { rehearsedApp } from '../../../rehearsal/world/world.ts';

const examples = join(import.meta.dirname, '../../../examples');
const app = await rehearsedApp();

async function tell(wave: string, ...failed: string[]) {
  const inventory = join(examples, 'first-wave');
  const options = readOptions([
    join(examples, 'policies', `${wave}.yaml`),
    ...['--inventory', inventory, '--values', join(inventory, 'rehearsal.yaml')],
    ...failed.flatMap((step) => ['--fail', step]),
  ]);
  if (options === 'help' || 'record' in options) throw new Error('no rehearsal');
  const { rehearsed, failedSteps, latencies } = options;
  const { waves, findings, deeds } = await rehearse(app, rehearsed, 1, {
    ...{ latencies, failedSteps },
    change: (story) => ({ ...undisturbed(story), keepsTime: true }),
  });
  expect(findings).toEqual([]);
  return { status: waves[wave], deeds: deeds.join('\n') };
}

test.each([
  ['commit-at-once', 'committed'],
  ['commit-by-people', 'committed'],
  ['commit-or-return', 'committed'],
  ['commit-unproven', 'committed'],
  ['commit-when-nobody-objects', 'committed'],
  ['dress-rehearsal', 'rolledBack'],
])('%s ends %s when its checks pass', async (wave, status) => {
  expect(await tell(wave)).toMatchObject({ status });
});

test.each([
  ['failure-hold', ['initialSync:web01'], 'committed', 'initialSync'],
  ['failure-roll-back', ['initialSync:web01'], 'rolledBack', ''],
  ['failure-go-on', ['initialSync:web01'], 'incomplete', ''],
  ['failure-budget', ['initialSync:web01', 'initialSync:jobs01'], 'incomplete', 'resume'],
])('%s, with %j failing, ends %s', async (wave, failed, status, deed) => {
  const story = await tell(wave, ...failed);
  expect(story.status).toBe(status);
  expect(story.deeds).toContain(deed);
});
