// A new wave is there whole or not at all, wherever its posting breaks off.
import { expect, it } from 'vitest';
import { post } from '../../../shared/versions/post.ts';
import { finishChanges } from '../../../shared/versions/move.ts';
import { waveDefinition } from '../../fakes/definitions.ts';
import { examplePlan, fakeReach } from '../../fakes/reach.ts';

const at = '2026-12-01T00:00:00.000Z';
const posted = { definition: waveDefinition(), plan: examplePlan(), by: 'ada', at };
const conflict = { failure: { code: 'conflict' } };

/** A store whose n-th write from the beginning is the last one before a crash. */
function crashingAfter(writes: number) {
  const left = { writes };
  const { store } = fakeReach(() => {
    if (--left.writes <= 0) throw new Error('crashed');
  });
  return { store, left };
}

/** Crashes at every write in turn; how many there are, the caller learns by the end of it. */
async function* crashes() {
  for (let writes = 1; ; writes++) {
    const { store, left } = crashingAfter(writes);
    const crashed = await post(store, posted).then(
      () => false,
      () => true,
    );
    left.writes = Number.POSITIVE_INFINITY;
    yield { store, writes };
    if (!crashed) return;
  }
}

async function expectWhole(store: ReturnType<typeof fakeReach>['store']) {
  const wave = await store.waves.get('w1');
  expect(wave).toMatchObject({ settled: true, status: 'planned' });
  if (wave === undefined) return;
  expect(await store.plans.whole(wave.plan)).toEqual({ definition: posted.definition, plan: posted.plan });
  const workloads = await store.workloads.list('w1');
  expect(workloads.map(({ plan }) => plan)).toEqual(expect.arrayContaining(posted.plan.workloads));
  expect(workloads).toHaveLength(3);
  for (const { workloadId } of workloads) expect(await store.workloads.events('w1', workloadId)).toHaveLength(1);
}

it('after a crash at any write nobody sees a wave, or everybody all that it says', async () => {
  const seen = new Set<boolean>();
  for await (const { store } of crashes()) {
    const wave = await store.waves.get('w1');
    seen.add(wave !== undefined);
    expect(await store.waves.list()).toHaveLength(wave === undefined ? 0 : 1);
    if (wave === undefined) expect(await store.workloads.list('w1')).toEqual([]);
    else expect(await store.plans.whole(wave.plan)).toEqual({ definition: posted.definition, plan: posted.plan });
  }
  expect([...seen]).toEqual([false, true]);
});

it('posting it again after a crash at any write makes it whole; once it is, its id is taken', async () => {
  let tries = 0;
  for await (const { store } of crashes()) {
    const whole = (await store.waves.get('w1'))?.settled === true;
    if (whole) await expect(post(store, posted)).rejects.toMatchObject(conflict);
    else await post(store, { ...posted, at: '2026-12-01T09:00:00.000Z' });
    await expectWhole(store);
    await expect(post(store, posted)).rejects.toMatchObject(conflict);
    tries++;
  }
  expect(tries).toBeGreaterThan(8);
});

it('whoever starts or changes a wave whose posting broke off finishes it first', async () => {
  for await (const { store } of crashes()) {
    if ((await store.waves.get('w1')) === undefined) continue;
    await finishChanges(store, 'w1');
    await expectWhole(store);
  }
});

it('an unfinished wave is nobody else’s to finish with something else', async () => {
  for await (const { store } of crashes()) {
    const wave = await store.waves.get('w1');
    if (wave === undefined || wave.settled) continue;
    await expect(post(store, { ...posted, by: 'mallory' })).rejects.toMatchObject(conflict);
    const other = { ...posted, plan: { ...posted.plan, hash: 'another' } };
    await expect(post(store, other)).rejects.toMatchObject(conflict);
  }
});

it('two who post the same id at one instant: one of them has it, whole', async () => {
  const { store } = fakeReach();
  const other = { ...posted, by: 'grace' };
  const results = await Promise.allSettled([post(store, posted), post(store, other)]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await expectWhole(store);
});
