import { expect, test } from 'vitest';
import type { Collection } from '../../../shared/store/collection.ts';
import { judgeBatch, judgeBeginning } from '../../../shared/store/fits.ts';
import { memoryCollections } from '../../../shared/store/memory.ts';
import { storeOn } from '../../../shared/store/storeOn.ts';
import { post } from '../../../shared/versions/post.ts';
import { waveDefinition } from '../../fakes/definitions.ts';
import { examplePlan } from '../../fakes/reach.ts';

const at = '2026-12-05T21:10:00.000Z';

test.each([3, 30])('a judgement about a group of %d reads its members once', async (size) => {
  const { store, reads } = await groupOf(size);
  const asked = { waveId: 'w1', workloadIds: ['m-0'] };
  for (const judgement of [
    () => judgeBatch(store, asked, at),
    () => judgeBeginning(store, { ...asked, part: 'stopServices' }, at),
    () => judgeBeginning(store, { ...asked, part: 'shutdown' }, at),
  ]) {
    reads.length = 0;
    await judgement();
    expect(reads.toSorted()).toEqual(['query', 'read']);
  }
});

/** A wave with one group of so many workloads, and what is read of workloads. */
async function groupOf(size: number) {
  const plan = examplePlan();
  const [member] = plan.workloads;
  const [group] = plan.groups;
  if (member === undefined || group === undefined) throw new Error('the example has no workload');
  const ids = Array.from({ length: size }, (_, index) => `m-${index}`);
  const workloads = ids.map((workloadId) => ({ ...member, workloadId, dependsOn: [] }));
  const collections = memoryCollections();
  const reads: string[] = [];
  const counted = new Proxy<Collection>(collections.workloads, {
    get: (target, name) => {
      const method = Reflect.get(target, name).bind(target) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (name === 'read' || name === 'query') reads.push(name);
        return method(...args);
      };
    },
  });
  const store = storeOn({ ...collections, workloads: counted }, () => at);
  const [written] = waveDefinition().groups;
  if (written === undefined) throw new Error('the example has no group');
  const definition = {
    ...waveDefinition(),
    groups: [{ ...written, workloads: ids.map((id) => ({ ...written.workloads[0]!, id, dependsOn: [] })) }],
  };
  await post(store, { definition, plan: { ...plan, groups: [{ ...group, tiers: [ids] }], workloads }, by: 'ada', at });
  return { store, reads };
}
