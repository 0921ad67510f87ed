// The repositories, on documents in memory and on Cosmos DB through the unmodified client: the same behaviour.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCosmos, startCosmos } from '../../../local/cosmos/server.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { anchorWave } from '../../../shared/journal/anchorWave.ts';
import { verifyWave } from '../../../shared/journal/verifyWave.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { fold } from '../../../shared/lifecycle/fold.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { createStore } from '../../../shared/store/cosmos.ts';
import type { ApplianceDocument } from '../../../shared/store/documents.ts';
import { createMemoryStore } from '../../../shared/store/memory.ts';
import { containers } from '../../../shared/store/storeOn.ts';
import { post } from '../../../shared/versions/post.ts';
import { environment, profile, source, waveDefinition } from '../../fakes/definitions.ts';
import { gateOf } from '../../fakes/gates.ts';
import { examplePlan } from '../../fakes/reach.ts';

const at = '2026-12-01T00:00:00.000Z';
const plan = examplePlan();

function postedAs(waveId: string, change: Partial<Parameters<typeof post>[1]> = {}): Parameters<typeof post>[1] {
  const workloads = plan.workloads.map((workload) => ({ ...workload, waveId }));
  return {
    ...{ definition: { ...waveDefinition(), id: waveId }, plan: { ...plan, waveId, workloads }, by: 'ada', at },
    ...change,
  };
}

const phase = (id: string, phase: 'preparing' | 'replicating'): WorkloadEvent => ({
  id,
  time: at,
  source: 'platform',
  type: 'landfall.workload.phaseEntered',
  data: { phase, reason: 'test' },
});
const progress = (id: string, sequence: number): WorkloadEvent => ({
  id,
  time: at,
  source: 'agent-db-01',
  sequence,
  type: 'landfall.sync.progress',
  data: { syncId: 's', kind: 'initial', doneBytes: sequence, totalBytes: 100, writtenBytes: 0, bytesPerSecond: 1 },
});

let cosmos: RunningCosmos;
beforeAll(async () => {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  const declared = Object.entries(containers).map(([name, paths]) => ({
    name,
    partitionKey: paths.length > 1 ? { paths: [...paths], kind: 'MultiHash', version: 2 } : { paths: [...paths] },
  }));
  cosmos = await startCosmos({
    databases: [{ name: 'landfall', containers: declared }],
    tls: pki,
    verifyToken: async () => ({ oid: 'me' }),
  });
});
afterAll(() => cosmos.stop());

const credential = { getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }) };
const onCosmos = () =>
  createStore({ Cosmos__accountEndpoint: cosmos.endpoint, LANDFALL_COSMOS_DATABASE: 'landfall' }, credential);

describe.each([
  { kind: 'in memory', makeStore: (): Store => createMemoryStore() },
  { kind: 'on Cosmos DB', makeStore: onCosmos },
])('the store $kind', ({ makeStore }) => {
  let store: Store;
  let names = 0;
  const freshWave = async () => {
    const waveId = `wave-${names++}`;
    await post(store, postedAs(waveId));
    return waveId;
  };
  beforeAll(() => {
    store = makeStore();
  });

  it('gives back what was put, without properties of the service', async () => {
    await store.environments.put(environment);
    await store.profiles.put(profile);
    await store.sources.put(source('db-01'));
    expect(await store.environments.get('west')).toEqual(environment);
    expect(await store.profiles.list()).toEqual([profile]);
    expect(await store.sources.get('db-01')).toEqual(source('db-01'));
    expect(await store.sources.get('nobody')).toBeUndefined();
    expect(await store.sources.get('../colls/workloads?#')).toBeUndefined();
  });

  it('registers every workload of a new wave, and refuses a second wave of that id', async () => {
    await post(store, postedAs('twice'));
    expect((await store.workloads.list('twice')).map(({ workloadId }) => workloadId).sort()).toEqual([
      'app',
      'db',
      'web',
    ]);
    expect(await store.waves.get('twice')).toMatchObject({ waveId: 'twice', status: 'planned', settled: true });
    await expect(post(store, postedAs('twice'))).rejects.toMatchObject({ failure: { code: 'conflict' } });
  });

  it('gives back what a plan was made of, whole and by groups', async () => {
    const { definition, plan: wanted } = postedAs('in-parts');
    const stored = await store.plans.put(definition, wanted);
    expect(JSON.stringify(stored)).not.toContain('"db"');
    expect(await store.plans.whole(stored)).toEqual({ definition, plan: wanted });
    expect(await store.plans.group(stored, 'shop')).toMatchObject({
      tiers: [['app'], ['web']],
      members: [{ workloadId: 'app', sourceId: 'app-01' }, { workloadId: 'web' }],
    });
    expect(await store.plans.put(definition, wanted)).toEqual(stored);
    await expect(store.plans.group(stored, 'nobody')).rejects.toMatchObject({ failure: { code: 'notFound' } });
  });

  it('applies each event once, however often it comes', async () => {
    const waveId = await freshWave();
    const first = await store.workloads.append(waveId, 'db', [
      phase('e1', 'preparing'),
      progress('e2', 1),
      progress('e2', 1),
    ]);
    expect(first).toMatchObject({ duplicates: ['e2'], illegal: [], state: { phase: 'preparing', version: 3 } });
    expect(first.applied.map(({ id }) => id)).toEqual(['e1', 'e2']);
    const second = await store.workloads.append(waveId, 'db', [
      phase('e1', 'preparing'),
      progress('e2', 1),
      progress('e3', 2),
    ]);
    expect(second.duplicates).toEqual(['e1', 'e2']);
    expect(second.applied.map(({ id }) => id)).toEqual(['e3']);
    expect((await store.workloads.get(waveId, 'db'))?.state.version).toBe(4);
  });

  it('calls a decision that was applied before a duplicate, though it would be illegal now', async () => {
    const waveId = await freshWave();
    await store.workloads.append(waveId, 'db', [phase('e1', 'preparing')]);
    await store.workloads.append(waveId, 'db', [phase('e2', 'replicating')]);
    const again = await store.workloads.append(waveId, 'db', [phase('e1', 'preparing')]);
    expect(again).toMatchObject({ applied: [], duplicates: ['e1'], illegal: [] });
    const illegal = await store.workloads.append(waveId, 'db', [phase('e9', 'preparing')]);
    expect(illegal.illegal).toMatchObject([{ event: { id: 'e9' } }]);
  });

  it('keeps the state equal to the fold of the events under concurrent writers', async () => {
    const waveId = await freshWave();
    await store.workloads.append(waveId, 'db', [phase('e0', 'preparing')]);
    const writers = Array.from({ length: 6 }, (_, writer) =>
      store.workloads.append(waveId, 'db', [
        progress('shared', 1),
        progress(`w${writer}-a`, 2),
        progress(`w${writer}-b`, 3),
      ]),
    );
    const outcomes = await Promise.all(writers);
    expect(outcomes.flatMap(({ duplicates }) => duplicates)).toHaveLength(5);
    const events = await store.workloads.events(waveId, 'db');
    expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    const state = (await store.workloads.get(waveId, 'db'))?.state;
    expect(fold(events.map(({ event }) => event))).toEqual(state);
  });

  it('lists events in order from after a version', async () => {
    const waveId = await freshWave();
    await store.workloads.append(
      waveId,
      'db',
      Array.from({ length: 99 }, (_, index) => progress(`e${index}`, index)),
    );
    const tail = await store.workloads.events(waveId, 'db', 95);
    expect(tail.map(({ version }) => version)).toEqual([96, 97, 98, 99, 100]);
    await expect(
      store.workloads.append(
        waveId,
        'db',
        Array.from({ length: 100 }, (_, index) => progress(`f${index}`, index)),
      ),
    ).rejects.toMatchObject({ failure: { code: 'invalidInput' } });
    await expect(store.workloads.append(waveId, 'nobody', [phase('e', 'preparing')])).rejects.toMatchObject({
      failure: { code: 'notFound' },
    });
  });

  it('finds the workloads of one group of one wave, but for those that a version has left out', async () => {
    const [waveId] = [await freshWave(), await freshWave()];
    const found = async (groupId: string) => {
      const members = await store.workloads.ofGroup(waveId, groupId);
      return members.map((one) => `${one.waveId}/${one.workloadId}`).sort();
    };
    expect(await found('data')).toEqual([`${waveId}/db`]);
    expect(await found('shop')).toEqual([`${waveId}/app`, `${waveId}/web`]);
    const type = 'landfall.workload.unregistered';
    const leftOut: WorkloadEvent = {
      id: 'out',
      time: at,
      source: 'user:ada',
      type,
      data: { version: 2, reason: 'test' },
    };
    expect((await store.workloads.append(waveId, 'web', [leftOut])).illegal).toEqual([]);
    expect(await found('shop')).toEqual([`${waveId}/app`]);
    expect(await found('nobody')).toEqual([]);
  });

  it('finds workloads of all waves by phase and by sync', async () => {
    const waveId = await freshWave();
    const queued: WorkloadEvent = {
      id: 'q',
      time: at,
      source: 'platform',
      type: 'landfall.sync.queued',
      data: { syncId: 's', kind: 'initial', syncOperationId: 'o:1', applianceId: 'agent-db-01' },
    };
    await store.workloads.append(waveId, 'db', [phase('e1', 'preparing'), phase('e2', 'replicating'), queued]);
    const mine = (found: { waveId: string; workloadId: string }[]) =>
      found.filter((each) => each.waveId === waveId).map(({ workloadId }) => workloadId);
    expect(mine(await store.workloads.inPhases(['replicating', 'testing']))).toEqual(['db']);
    expect(mine(await store.workloads.withSync(['queued', 'running']))).toEqual(['db']);
    expect(await store.workloads.inPhases([])).toEqual([]);
  });

  it('changes a document in place under concurrent writers without losing one', async () => {
    const waveId = await freshWave();
    await Promise.all(
      Array.from({ length: 6 }, () => store.waves.change(waveId, (wave) => ({ ...wave, attempt: wave.attempt + 1 }))),
    );
    expect((await store.waves.get(waveId))?.attempt).toBe(6);
    await expect(store.waves.change('nobody', (wave) => wave)).rejects.toMatchObject({ failure: { code: 'notFound' } });
  });

  it('links events and entries into chains that verify, also under concurrent writers', async () => {
    const waveId = await freshWave();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        Promise.all([
          store.workloads.append(waveId, 'db', [progress(`p${index}`, index)]),
          store.waves.change(waveId, (wave) => ({ ...wave, attempt: wave.attempt + 1 })),
        ]),
      ),
    );
    await anchorWave(store, { waveId, operationId: 'wave:anchor', reason: 'test', at });
    await anchorWave(store, { waveId, operationId: 'wave:anchor', reason: 'test', at });
    expect(await verifyWave(store, waveId)).toMatchObject({
      valid: true,
      checked: { workloads: plan.workloads.length, events: plan.workloads.length + 8, entries: 10, anchors: 1 },
    });
    const own = await store.journal.inPlace(waveId, '', 100);
    expect(own).toHaveLength(10);
    expect(own.find(({ version }) => version === 1)?.entry).toMatchObject({
      type: 'landfall.wave.posted',
      source: 'user:ada',
    });
    const registered = await store.workloads.inPlace(waveId, '', 100);
    expect(registered.map(({ event }) => event.type)).toEqual(plan.workloads.map(() => 'landfall.workload.registered'));
    expect(await store.workloads.inPlace(waveId, registered.at(-1)?.place ?? '', 100)).toEqual([]);
    expect(await store.workloads.events(waveId, 'db', 1, { types: ['landfall.sync.progress'], limit: 3 })).toHaveLength(
      3,
    );
  });

  it('writes an entry with a name once, and with it the change that it belongs to', async () => {
    const waveId = await freshWave();
    const entry = {
      id: 'step-1',
      time: at,
      source: 'platform',
      type: 'landfall.step.undone',
      data: { step: 'targetIam' },
    };
    for (const attempt of [1, 2])
      await store.waves.change(waveId, (wave) => ({ ...wave, attempt }), { entries: [entry] });
    await store.journal.append(waveId, [entry]);
    expect((await store.waves.get(waveId))?.attempt).toBe(1);
    expect((await store.journal.entries(waveId)).map((document) => document.entry.id)).toEqual(['1', 'step-1', '3']);
  });

  it('opens a gate once and leaves documents of other kinds alone', async () => {
    const waveId = await freshWave();
    const gate = gateOf({ id: 'gate.shop.uat.1', waveId, groupId: 'shop', openedAt: at, operationId: 'g:1' });
    await store.gates.open(gate);
    await store.gates.change(waveId, gate.id, (open) => ({ ...open, status: 'approved' }));
    expect((await store.gates.open(gate)).status).toBe('approved');
    expect(await store.gates.list(waveId)).toHaveLength(1);
    await expect(store.gates.change(waveId, 'wave', (open) => open)).rejects.toMatchObject({
      failure: { code: 'notFound' },
    });
  });

  it('counts the leases that remain, and tolerates repeats', async () => {
    await store.environments.lease('leased', 'w1', at);
    await store.environments.lease('leased', 'w1', at);
    await store.environments.lease('leased', 'w2', at);
    expect(await store.environments.holders('leased')).toEqual(['w1', 'w2']);
    expect(await store.environments.release('leased', 'w1')).toBe(1);
    expect(await store.environments.release('leased', 'w1')).toBe(1);
    expect(await store.environments.holders('leased')).toEqual(['w2']);
    expect(await store.environments.release('leased', 'w2')).toBe(0);
  });

  it('finds an appliance by id alone, also after it has moved to another environment', async () => {
    const appliance: ApplianceDocument = {
      id: 'appliance.agent-x',
      kind: 'appliance',
      environmentId: 'one',
      applianceId: 'agent-x',
      applianceKind: 'agent',
      status: 'awaited',
    };
    expect(await store.appliances.create(appliance)).toBe(true);
    expect(await store.appliances.create({ ...appliance, status: 'revoked' })).toBe(false);
    const other = makeStore === onCosmos ? makeStore() : store;
    expect(await other.appliances.get('agent-x')).toEqual(appliance);
    await store.appliances.put({ ...appliance, environmentId: 'two' });
    expect(await other.appliances.get('agent-x')).toMatchObject({ environmentId: 'two' });
    expect(await store.appliances.list('one')).toEqual([]);
    await store.appliances.remove('agent-x');
    expect(await other.appliances.get('agent-x')).toBeUndefined();
  });

  it('shows the latest of the quarantine first and finds one by id', async () => {
    for (const n of [1, 2, 3])
      await store.quarantine.put({
        id: `q-${n}`,
        kind: 'quarantine',
        source: `agent-${n}`,
        code: 'badSignature',
        reason: 'r',
        receivedAt: `2026-12-01T00:00:0${n}.000Z`,
        messageId: `m${n}`,
        deliveryCount: 1,
        body: 'b',
      });
    expect((await store.quarantine.list(2)).map(({ id }) => id)).toEqual(['q-3', 'q-2']);
    expect(await store.quarantine.get('q-1')).toMatchObject({ source: 'agent-1' });
    expect(await store.quarantine.get('q-9')).toBeUndefined();
  });
});

it('what is larger than Cosmos DB takes is refused in words that say what to do', async () => {
  const large = { ...environment, resourceGroup: 'x'.repeat(2.2 * 2 ** 20) };
  await expect(onCosmos().environments.put(large)).rejects.toMatchObject({
    failure: {
      code: 'invalidInput',
      message: expect.stringContaining('2 MB'),
      suggestion: expect.stringContaining('shorter'),
    },
  });
});
