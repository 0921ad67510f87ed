// A workload goes to another wave before it replicates.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../shared/store/contract.ts';
import type { WaveDocument } from '../../../shared/store/documents.ts';
import { source, wavePosted } from '../../fakes/definitions.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi, users } from './api.ts';

const { api } = await startApi();
type Ask = ReturnType<typeof api>['ask'];

/** `w1` with its groups `data` and `shop`, and `w2` with the group `late`. */
async function twoWaves(changed?: Parameters<typeof api>[0]) {
  const one = api(changed);
  await withWave(one.reach);
  await one.ask('PUT', '/api/sources/late-01', { as: 'ada', body: source('late-01') });
  const w2 = {
    ...{ ...wavePosted(), id: 'w2' },
    groups: [
      { id: 'late', workloads: [{ id: 'late', source: 'late-01', method: 'agent', target: { name: 'late-01' } }] },
    ],
  };
  expect((await one.ask('POST', '/api/waves', { as: 'ada', body: w2 })).status).toBe(201);
  return one;
}
const move = (ask: Ask, workloadId: string, change: Record<string, unknown> = {}, query = '') =>
  ask('POST', `/api/waves/w1/workloads/${workloadId}/move${query}`, {
    as: 'ada',
    body: { to: 'w2', group: 'late', reason: 'not ready', dependsOn: [], ...change },
  });

/** In which waves a workload is: planned, and registered. */
async function homes({ reach }: Pick<ReturnType<typeof api>, 'reach'>, workloadId: string) {
  const waves = await reach.store.waves.list();
  const planned = [];
  for (const wave of waves) {
    const groups = await reach.store.plans.groups(wave.plan);
    if (groups.some(({ members }) => members.some((each) => each.workloadId === workloadId))) planned.push(wave);
  }
  const registered = [];
  for (const { waveId } of waves)
    if ((await reach.store.workloads.get(waveId, workloadId))?.state.phase === 'registered') registered.push(waveId);
  return { planned: planned.map(({ waveId }) => waveId), registered };
}

describe('moving a workload', () => {
  it('gives both waves a new version and answers both differences', async () => {
    const one = await twoWaves();
    const { status, body } = await move(one.ask, 'web');
    expect(status).toBe(200);
    expect(body).toMatchObject({ stored: true, versions: { from: 2, to: 2 } });
    expect(body.from.diff).toMatchObject([{ path: 'groups[shop].workloads[web]', before: { source: 'web-01' } }]);
    expect(body.to.diff).toMatchObject([{ path: 'groups[late].workloads[web]', after: { source: 'web-01' } }]);
    expect(await homes(one, 'web')).toEqual({ planned: ['w2'], registered: ['w2'] });
    for (const id of ['w1', 'w2']) {
      const { versions } = (await one.ask('GET', `/api/waves/${id}/versions`, { as: 'alan' })).body;
      expect(versions[1]).toMatchObject({
        version: 2,
        by: users.ada.oid,
        reason: 'not ready',
        move: { from: 'w1', to: 'w2' },
      });
    }
    const { events } = (await one.ask('GET', '/api/waves/w1/workloads/web/events', { as: 'alan' })).body;
    expect(events.at(-1)).toMatchObject({ type: 'landfall.workload.unregistered', data: { movedTo: 'w2' } });
    expect((await one.ask('POST', '/api/waves/w2/start', { as: 'ada' })).status).toBe(202);
    expect((await one.ask('POST', '/api/waves/w1/start', { as: 'ada' })).status).toBe(202);
  });

  it('said again answers the same and does nothing', async () => {
    const one = await twoWaves();
    const first = await move(one.ask, 'web');
    const again = await move(one.ask, 'web');
    expect(again).toMatchObject({ status: 200, body: { versions: first.body.versions, to: first.body.to } });
    expect((await one.reach.store.waves.get('w2'))?.revision?.version).toBe(2);
  });

  it('with dryRun is only shown', async () => {
    const one = await twoWaves();
    const { body } = await move(one.ask, 'web', {}, '?dryRun=true');
    expect(body).toMatchObject({ stored: false, to: { diff: [{ path: 'groups[late].workloads[web]' }] } });
    expect(await homes(one, 'web')).toEqual({ planned: ['w1'], registered: ['w1'] });
  });

  it('takes an emptied group along', async () => {
    const { ask } = await twoWaves();
    await ask('PUT', '/api/waves/w1?reason=x', {
      as: 'ada',
      headers: { 'if-match': '"1"' },
      body: { ...wavePosted(), groups: wavePosted().groups.map((group) => ({ ...group, dependsOn: [] })) },
    });
    const { status, body } = await move(ask, 'db');
    expect(status).toBe(200);
    expect(body.from.diff).toMatchObject([{ path: 'groups[data]' }]);
  });

  it('is refused where something depends on it, or it on something, with the place', async () => {
    const { ask } = await twoWaves();
    expect((await move(ask, 'app')).body.errors).toMatchObject([
      { path: 'groups[1].workloads[0].dependsOn[0]', value: 'app' },
    ]);
    expect((await move(ask, 'web', { dependsOn: undefined })).body.errors).toMatchObject([
      { path: 'groups[0].workloads[1].dependsOn[0]', value: 'app' },
    ]);
    expect((await move(ask, 'db')).body.errors).toMatchObject([{ path: 'groups[0].dependsOn[0]', value: 'data' }]);
    expect((await move(ask, 'web', { group: 'lat' })).body.errors).toMatchObject([{ path: 'group', value: 'lat' }]);
    expect((await move(ask, 'web', { to: 'w1', group: 'data' })).status).toBe(400);
    expect((await move(ask, 'nobody')).status).toBe(404);
    expect((await move(ask, 'web', { to: 'w9' })).status).toBe(404);
  });

  it('is refused once either wave runs', async () => {
    const { ask } = await twoWaves();
    await ask('POST', '/api/waves/w2/start', { as: 'ada' });
    expect(await move(ask, 'web')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('Wave w2 runs') },
    });
    await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    expect(await move(ask, 'web')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('Wave w1 runs') },
    });
  });
});

/** Every write to the store from a moment on; the n-th is the last one before a crash. */
function crashing() {
  const left = { writes: Number.POSITIVE_INFINITY };
  const changed = () => {
    if (--left.writes < 0) throw new Error('crashed');
  };
  return { changed, left };
}
const sound = async (one: Awaited<ReturnType<typeof twoWaves>>, workloadId: string) => {
  const { planned, registered } = await homes(one, workloadId);
  expect(planned).toHaveLength(1);
  expect(registered).toEqual(planned);
  for (const wave of await one.reach.store.waves.list()) {
    expect(wave.moving).toBeUndefined();
    expect(wave.settled).toBe(true);
    const { plan } = await one.reach.store.plans.whole(wave.plan);
    for (const { workloadId: id, hash } of plan.workloads)
      expect((await one.reach.store.workloads.get(wave.waveId, id))?.plan.hash).toBe(hash);
  }
  return planned[0];
};

describe.each([
  ['the same request again', (ask: Ask) => move(ask, 'web'), ['w2']],
  ['a start of the wave that it leaves', (ask: Ask) => ask('POST', '/api/waves/w1/start', { as: 'ada' }), ['w1', 'w2']],
  [
    'a start of both waves, the other one first',
    async (ask: Ask) => {
      await ask('POST', '/api/waves/w2/start', { as: 'ada' });
      return ask('POST', '/api/waves/w1/start', { as: 'ada' });
    },
    ['w1', 'w2'],
  ],
] as const)('a move that crashes after any of its writes, then %s', (_what, next, ends) => {
  it('leaves the workload in one wave, planned and registered', async () => {
    const seen = new Set<string | undefined>();
    let crashes = 0;
    for (let writes = 0; ; writes++) {
      const { changed, left } = crashing();
      const one = await twoWaves(changed);
      left.writes = writes;
      const { status } = await move(one.ask, 'web');
      left.writes = Number.POSITIVE_INFINITY;
      if (status === 200) break;
      crashes++;
      const answered = await next(one.ask);
      expect([200, 202]).toContain(answered.status);
      seen.add(await sound(one, 'web'));
    }
    expect(crashes).toBeGreaterThan(8);
    expect([...seen].sort()).toEqual(ends);
  });
});

it('a new version that crashes after any of its writes is made by whoever comes next, or never was', async () => {
  for (const next of ['start', 'put'] as const)
    for (let writes = 0; ; writes++) {
      const { changed, left } = crashing();
      const one = await twoWaves(changed);
      const put = () => {
        const body = wavePosted();
        body.groups[1]!.workloads[1] = { ...body.groups[1]!.workloads[1]!, id: 'web2' };
        return one.ask('PUT', '/api/waves/w1?reason=x', { as: 'ada', body, headers: { 'if-match': '"1"' } });
      };
      left.writes = writes;
      const { status } = await put();
      left.writes = Number.POSITIVE_INFINITY;
      if (status === 200) break;
      if (next === 'put') expect((await put()).status).toBe(200);
      else expect((await one.ask('POST', '/api/waves/w1/start', { as: 'ada' })).status).toBe(202);
      const webs = [await homes(one, 'web'), await homes(one, 'web2')].filter(({ planned }) => planned.length > 0);
      expect(webs).toEqual([{ planned: ['w1'], registered: ['w1'] }]);
    }
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** The store, each of whose answers takes its time: what runs side by side overtakes. */
function uneven(store: Store, pauses: readonly number[]): Store {
  let calls = 0;
  const slowly = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          await turns(pauses[calls++ % pauses.length] ?? 0);
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
  return { ...store, waves: slowly(store.waves), workloads: slowly(store.workloads) };
}

const ofFour = { minLength: 4, maxLength: 4 };

it('starts and changes at the same moment: nothing is lost or doubled, and what runs is one version, whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(4), { minLength: 5, maxLength: 40 }),
      fc.array(fc.nat(60), ofFour),
      async (pauses, delays) => {
        const plans = new Map<string, Set<string>>();
        const one = await twoWaves((_container, document) => {
          const { kind, waveId, status, plan } = document as WaveDocument;
          if (kind !== 'wave' || (status !== 'running' && !plans.has(waveId))) return;
          plans.set(waveId, (plans.get(waveId) ?? new Set()).add(plan.hash));
        });
        one.reach.store = uneven(one.reach.store, pauses);
        const changed = wavePosted();
        changed.groups[0]!.workloads[0]!.target.name = 'db-02';
        const headers = { 'if-match': '"1"' };
        const asked = [
          () => one.ask('POST', '/api/waves/w1/start', { as: 'ada' }),
          () => move(one.ask, 'web'),
          () => one.ask('PUT', '/api/waves/w1?reason=x', { as: 'ada', body: changed, headers }),
          () => one.ask('POST', '/api/waves/w2/start', { as: 'ada' }),
        ];
        const results = await Promise.all(asked.map(async (ask, n) => turns(delays[n] ?? 0).then(ask)));
        for (const { status } of results) expect([200, 202, 400, 409, 412]).toContain(status);
        await sound(one, 'web');
        for (const hashes of plans.values()) expect(hashes.size).toBe(1);
      },
    ),
    // A start that comes while a move is on its way, and while another version is made.
    {
      numRuns: 80,
      examples: [
        [
          [0, 0, 0, 0, 1, 3],
          [13, 3, 28, 25],
        ],
        [
          [1, 1, 3, 0, 1],
          [48, 13, 31, 8],
        ],
      ],
    },
  );
});
