// A wave of five thousand workloads over HTTP, on a store with the limits of Cosmos DB.
import { beforeAll, expect, it, vi } from 'vitest';
import { raisedBy } from '../../../functions/changefeed/committed.ts';
import { hashOf } from '../../../shared/hash.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { environment, profile, source } from '../../fakes/definitions.ts';
import { limitedStore, type Weighed } from '../../fakes/limitedStore.ts';
import { startApi } from './api.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { api } = await startApi();
const one = api();
const size = 5000;
const perGroup = 100;
const names = Array.from({ length: size }, (_, index) => `server-${String(index).padStart(5, '0')}`);

const posted = () => ({
  ...{ id: 'large', name: 'A whole floor', environment: 'west', profile: 'standard' },
  window: { start: '2026-12-05T22:00', duration: 'PT12H', zone: 'Europe/Amsterdam' },
  groups: Array.from({ length: size / perGroup }, (_, g) => ({
    id: `group-${g}`,
    ...(g === 0 ? {} : { dependsOn: [`group-${g - 1}`] }),
    workloads: names.slice(g * perGroup, (g + 1) * perGroup).map((name, w) => ({
      ...{ id: name, source: name, method: w % 2 === 0 ? 'agent' : 'agentless', target: { name } },
      settings: { uat: { checks: [{ kind: 'file', name: 'marked', path: `/etc/${name}`, contains: name }] } },
    })),
  })),
});
const url = '/api/waves/large';
let weighed: Weighed;
let answered: { plan: { hash: string; workloads: { workloadId: string; target: { name: string } }[] } };

beforeAll(async () => {
  const limited = limitedStore(one.reach.now);
  one.reach.store = limited.store;
  weighed = limited.weighed;
  await limited.store.environments.put(environment);
  await limited.store.profiles.put(profile);
  for (const name of names) await limited.store.sources.put(source(name));
});

const ofKind = (kind: string) => weighed.longest.get(kind) ?? 0;

it('is planned without anything being stored, then posted', async () => {
  const before = weighed.writes;
  const text = JSON.stringify(posted());
  expect(text.length).toBeGreaterThan(2 ** 20);
  expect((await one.ask('POST', '/api/waves?dryRun=true', { as: 'ada', text })).status).toBe(200);
  expect(weighed.writes).toBe(before);
  const { status, body } = await one.ask('POST', '/api/waves', { as: 'ada', text });
  expect(status).toBe(201);
  answered = body;
  expect(answered.plan.workloads).toHaveLength(size);
});

it('has a document that stays short, and parts that are no longer than a document may be', async () => {
  expect(ofKind('wave')).toBeLessThan(50_000);
  expect(ofKind('part')).toBeLessThan(1_100_000);
  expect(ofKind('part')).toBeGreaterThan(100_000);
});

it('is read back whole, under the hash that it was given', async () => {
  const { body } = await one.ask('GET', `${url}/versions/1`, { as: 'alan' });
  const { hash, ...plan } = body.plan;
  expect([hash, hashOf(plan)]).toEqual([answered.plan.hash, answered.plan.hash]);
  expect(hashOf(body.definition)).toBe(hashOf(WaveDefinition.parse(posted())));
});

it('shows its workloads page by page, and each of them once', async () => {
  const shown: string[][] = [];
  let next: string | undefined;
  do {
    const { body } = await one.ask('GET', `${url}${next === undefined ? '' : `?limit=1000&after=${next}`}`, {
      as: 'alan',
    });
    const page = body.groups.flatMap(({ workloads }: { workloads: { workloadId: string }[] }) => workloads);
    expect(body).toMatchObject({ size, status: 'planned' });
    expect(body.groups).toHaveLength(size / perGroup);
    expect(body.groups[49]).toMatchObject({ size: perGroup, phases: { registered: perGroup } });
    shown.push(page.map(({ workloadId }: { workloadId: string }) => workloadId));
    next = body.next;
  } while (next !== undefined);
  expect(shown.map(({ length }) => length)).toEqual([500, 1000, 1000, 1000, 1000, 500]);
  expect(shown.flat()).toEqual(names);
  const few = await one.ask('GET', `${url}?limit=3&after=${names.at(-3)}`, { as: 'alan' });
  expect(few.body.groups.at(-1).workloads).toMatchObject([{ workloadId: names.at(-2) }, { workloadId: names.at(-1) }]);
  expect(few.body).not.toHaveProperty('next');
  expect((await one.ask('GET', `${url}?after=nobody`, { as: 'alan' })).body.errors).toMatchObject([{ path: 'after' }]);
  expect((await one.ask('GET', `${url}?limit=1001`, { as: 'alan' })).status).toBe(400);
});

it('gets a version that differs in one workload, says so, and shares what it leaves alone', async () => {
  const changed = posted();
  const workload = changed.groups[20]?.workloads[7];
  if (workload !== undefined) workload.target.name = 'elsewhere';
  const written = weighed.writes;
  const put = await one.ask('PUT', `${url}?reason=moved`, { as: 'ada', body: changed, headers: { 'if-match': '"1"' } });
  expect(put.status).toBe(200);
  const name = names[2007];
  const path = `groups[group-20].workloads[${name}].target.name`;
  expect(put.body.diff).toEqual([{ path, before: name, after: 'elsewhere' }]);
  expect(put.body.planDiff).toEqual([{ path: `workloads[${name}].target.name`, before: name, after: 'elsewhere' }]);
  const told = await one.ask('GET', `${url}/versions/2/diff`, { as: 'alan' });
  expect(told.body).toMatchObject({ from: 1, version: 2, diff: put.body.diff, planDiff: put.body.planDiff });
  const [first, second] = await Promise.all(
    [1, 2].map((n) => one.reach.store.waves.version('large', n).then((kept) => kept?.plan)),
  );
  const current = second ?? (await one.reach.store.waves.get('large'))?.plan;
  const partsOf = (plan: typeof first) =>
    plan?.groups.flatMap(({ outline, workloads }) => [outline, ...workloads]) ?? [];
  const before = new Set(partsOf(first));
  expect(partsOf(current).filter((part) => !before.has(part))).toHaveLength(1);
  expect(weighed.writes - written).toBeLessThan(400);
});

it('starts, and an order to all of it is a short document that reaches everybody', async () => {
  expect((await one.ask('POST', `${url}/start`, { as: 'ada' })).status).toBe(202);
  expect((await one.ask('POST', `${url}/pause`, { as: 'ada', body: { reason: 'later' } })).status).toBe(202);
  expect(ofKind('control')).toBeLessThan(1_000);
  const [order] = await one.reach.store.controls.list('large');
  if (order === undefined) throw new Error('no order was given');
  expect(await raisedBy(order, one.reach.store)).toHaveLength(1 + size / perGroup + 2 * size);
});
