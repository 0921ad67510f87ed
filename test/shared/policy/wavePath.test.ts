import { expect, it } from 'vitest';
import { hashOf } from '../../../shared/hash.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { resolvePlan } from '../../../shared/policy/resolvePlan.ts';
import { wavePath } from '../../../shared/policy/wavePath.ts';
import { environment, profile, source, wavePosted } from '../../fakes/definitions.ts';

const now = '2026-12-01T00:00:00.000Z';
const unborn = { points: [], syncRuns: [], launched: undefined, steps: {} };
const gigabyte = 1024 ** 3;

/** `data` and `side` by themselves, `shop` after `data`; disks are of so many gigabytes. */
function pathOf(sizes: Record<string, number>, left: readonly string[] = ['data', 'side', 'shop']) {
  const posted = wavePosted();
  const definition = WaveDefinition.parse({
    ...posted,
    groups: [
      ...posted.groups,
      { id: 'side', workloads: [{ id: 'late', source: 'late-01', method: 'agent', target: { name: 'late-01' } }] },
    ],
  });
  const sources = ['db-01', 'app-01', 'web-01', 'late-01'].map((id) => {
    const one = source(id);
    return { ...one, disks: one.disks.map((disk) => ({ ...disk, sizeBytes: (sizes[id] ?? 1) * gigabyte })) };
  });
  const resolved = resolvePlan({ definition, environment, profile, sources, now }, hashOf);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  const { groups, workloads } = resolved.plan;
  return wavePath(
    groups.filter(({ id }) => left.includes(id)),
    workloads.map((plan) => ({ plan, state: unborn })),
    now,
  );
}

it('groups that wait for each other are the path while they take longest, with their chain of workloads', () => {
  const { path, seconds, groups } = pathOf({});
  expect(path.map(({ groupId, workloadIds }) => ({ groupId, workloadIds }))).toEqual([
    { groupId: 'data', workloadIds: ['db'] },
    { groupId: 'shop', workloadIds: ['app', 'web'] },
  ]);
  expect(seconds).toBeCloseTo((groups['data']?.seconds ?? 0) + (groups['shop']?.seconds ?? 0), 0);
  expect(groups['shop']).toMatchObject({ earliestStartSeconds: groups['data']?.seconds, slackSeconds: 0 });
  expect(groups['side']?.slackSeconds).toBeCloseTo(seconds - (groups['side']?.seconds ?? 0), 0);
});

it('a group that is large enough is the path by itself, and the others have slack', () => {
  const { path, groups } = pathOf({ 'late-01': 4000 });
  expect(path.map(({ groupId }) => groupId)).toEqual(['side']);
  expect(groups['data']?.slackSeconds).toBeGreaterThan(0);
  expect(groups['data']?.slackSeconds).toBe(groups['shop']?.slackSeconds);
});

it('what has committed is not waited for any more', () => {
  const { path, groups } = pathOf({}, ['shop', 'side']);
  expect(path[0]?.groupId).toBe('shop');
  expect(groups['shop']?.earliestStartSeconds).toBe(0);
});
