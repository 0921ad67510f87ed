// The journal over HTTP: who did what and why, in pages, and whether it is what was written.
import { expect, it } from 'vitest';
import { withWave } from '../../fakes/reach.ts';
import { startApi, users } from './api.ts';

const { api } = await startApi();

async function started() {
  const one = api();
  await withWave(one.reach);
  await one.ask('POST', '/api/waves/w1/start', { as: 'ada' });
  one.reach.pass(1000);
  await one.reach.store.workloads.append('w1', 'db', [
    {
      id: 'p',
      time: one.reach.now(),
      source: 'platform',
      type: 'landfall.workload.phaseEntered',
      data: { phase: 'preparing', reason: 'the wave has begun' },
    },
  ]);
  return one;
}

it('shows all journals of a wave as one, page by page', async () => {
  const { ask } = await started();
  const all = (await ask('GET', '/api/waves/w1/journal', { as: 'alan' })).body;
  expect(all.next).toBeUndefined();
  expect(
    all.entries.map(({ workloadId = '', version }: { workloadId?: string; version: number }) => [workloadId, version]),
  ).toEqual([
    ['', 1],
    ['', 2],
    ['app', 1],
    ['db', 1],
    ['web', 1],
    ['db', 2],
  ]);
  const pages = [];
  for (let after = ''; ; ) {
    const { body } = await ask('GET', `/api/waves/w1/journal?limit=4&after=${encodeURIComponent(after)}`, {
      as: 'alan',
    });
    pages.push(...body.entries);
    if (body.next === undefined) break;
    after = body.next;
  }
  expect(pages).toEqual(all.entries);
});

it('says who, what, why, before and after', async () => {
  const { ask } = await started();
  const own = (await ask('GET', '/api/waves/w1/journal?own=true', { as: 'alan' })).body.entries;
  expect(own[1]).toMatchObject({
    version: 2,
    who: `user:${users.ada.oid}`,
    what: 'wave status changed',
    before: 'planned',
    after: 'running',
  });
  const db = (await ask('GET', '/api/waves/w1/journal?workload=db&after=1', { as: 'alan' })).body.entries;
  expect(db).toMatchObject([
    {
      workloadId: 'db',
      version: 2,
      who: 'platform',
      what: 'workload phase entered preparing',
      why: 'the wave has begun',
      before: 'registered',
      after: 'preparing',
    },
  ]);
});

it('verifies every journal of a wave, or of one workload', async () => {
  const { ask } = await started();
  const whole = (await ask('GET', '/api/waves/w1/journal/verify', { as: 'alan' })).body;
  expect(whole).toMatchObject({ valid: true, misfits: [], checked: { workloads: 3, events: 4, entries: 2 } });
  const one = (await ask('GET', '/api/waves/w1/journal/verify?workload=db', { as: 'alan' })).body;
  expect(one).toMatchObject({ valid: true, checked: { workloads: 1, events: 2 } });
});

it('refuses what is no version, no number of entries and no workload', async () => {
  const { ask } = await started();
  const statusOf = async (query: string) => (await ask('GET', `/api/waves/w1/journal${query}`, { as: 'alan' })).status;
  expect(await statusOf('?workload=db&after=x')).toBe(400);
  expect(await statusOf('?limit=0')).toBe(400);
  expect(await statusOf('?workload=nobody')).toBe(404);
  expect(await statusOf('/verify?workload=nobody')).toBe(404);
});
