// Every way to tamper with a journal is tried here on the documents themselves, and named by the verification.
import { beforeEach, describe, expect, it } from 'vitest';
import { anchorWave } from '../../../shared/journal/anchorWave.ts';
import { emptyChain, link } from '../../../shared/journal/chain.ts';
import { verifyWave } from '../../../shared/journal/verifyWave.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { apply, fold } from '../../../shared/lifecycle/fold.ts';
import type { Collection, Stored } from '../../../shared/store/collection.ts';
import type { Store } from '../../../shared/store/contract.ts';
import type { EntryDocument, EventDocument, WorkloadDocument } from '../../../shared/store/documents.ts';
import { eventDocument } from '../../../shared/store/foldBatch.ts';
import { memoryCollections } from '../../../shared/store/memory.ts';
import { type ContainerName, storeOn } from '../../../shared/store/storeOn.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';

const at = '2026-12-01T00:00:00.000Z';
const paused = (id: string, reason = 'r'): WorkloadEvent => ({
  id,
  time: at,
  source: 'platform',
  type: 'landfall.sync.paused',
  data: { reason },
});

let containers: Record<ContainerName, Collection>;
let store: Store;

/** Two workloads with seven entries each, of which the first five are anchored, and one with nothing but its birth. */
beforeEach(async () => {
  containers = memoryCollections();
  store = storeOn(containers, () => at);
  await withWave({ ...fakeReach(), store });
  for (const workloadId of ['db', 'web'])
    await store.workloads.append(
      'w1',
      workloadId,
      ['a', 'b', 'c', 'd'].map((id) => paused(id)),
    );
  await store.waves.change('w1', (wave) => ({
    ...wave,
    status: 'running',
    startedBy: 'ada',
    startedAt: at,
    attempt: 1,
  }));
  await anchorWave(store, { waveId: 'w1', operationId: 'wave-w1:1:anchor', reason: 'the test', at });
  for (const workloadId of ['db', 'web']) await store.workloads.append('w1', workloadId, [paused('e'), paused('f')]);
});

const key = (workloadId: string) => ['w1', workloadId];

async function event(workloadId: string, id: string): Promise<EventDocument> {
  const read = await containers.workloads.read<EventDocument>(key(workloadId), `event.${id}`);
  if (read === undefined) throw new Error(`no event ${id}`);
  return read.value;
}

async function stateOf(workloadId: string): Promise<WorkloadDocument> {
  const read = await containers.workloads.read<WorkloadDocument>(key(workloadId), 'state');
  if (read === undefined) throw new Error(`no workload ${workloadId}`);
  return read.value;
}

const putEvent = (document: Stored, workloadId = 'db') => containers.workloads.put(key(workloadId), document);

/** Writes a workload's journal anew, with all hashes right, as somebody could who may write every document of it. */
async function forge(workloadId: string, events: WorkloadEvent[]): Promise<void> {
  const old = await stateOf(workloadId);
  for (const { id } of await store.workloads.events('w1', workloadId))
    await containers.workloads.remove(key(workloadId), id);
  const of = { waveId: 'w1', workloadId };
  let head = emptyChain(of);
  let state: WorkloadDocument['state'] | undefined;
  for (const one of events) {
    const applied = apply(state, one);
    if ('illegal' in applied) throw new Error(applied.illegal);
    const document = eventDocument(of, head, one, state, applied.state);
    head = { version: document.version, hash: document.hash };
    state = applied.state;
    await putEvent(document, workloadId);
  }
  if (state === undefined) throw new Error('nothing to forge');
  await putEvent({ ...old, state, head } as Stored, workloadId);
}

const misfits = async () => (await verifyWave(store, 'w1')).misfits;

it('an untouched journal is valid, and its heads can be kept', async () => {
  const verified = await verifyWave(store, 'w1');
  expect(verified).toMatchObject({ valid: true, misfits: [], checked: { workloads: 3, events: 15, anchors: 1 } });
  expect(verified.head).toEqual(await store.journal.head('w1'));
  expect(await verifyWave(store, 'w1', ['db'])).toMatchObject({ valid: true, checked: { workloads: 1 } });
});

it('a forged journal with nothing forged in it is valid: what follows is found for its own fault', async () => {
  await forge(
    'db',
    (await store.workloads.events('w1', 'db')).map((document) => document.event),
  );
  expect(await misfits()).toEqual([]);
});

describe('an entry', () => {
  it('that was changed is named', async () => {
    const document = await event('db', 'c');
    await putEvent({ ...document, event: paused('c', 'another reason') } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'altered', version: 4, entryId: 'event.c' }]);
  });

  it('that was removed is named by the gap that it leaves', async () => {
    await containers.workloads.remove(key('db'), 'event.c');
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'missing', version: 4, entryId: 'event.d' }]);
  });

  it('that was inserted is named, at a place that is taken and at one of its own', async () => {
    const document = await event('db', 'c');
    await putEvent({ ...document, id: 'event.zz', event: paused('zz') } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'doubled', entryId: 'event.zz' }]);
    await containers.workloads.remove(key('db'), 'event.zz');
    await putEvent({ ...document, id: 'event.zz', version: 3.5, event: paused('zz') } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'doubled', entryId: 'event.zz' }]);
  });

  it('that changed places with another one is named', async () => {
    const [b, c] = [await event('db', 'b'), await event('db', 'c')];
    await putEvent({ ...b, version: c.version } as Stored);
    await putEvent({ ...c, version: b.version } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'altered', version: 3, entryId: 'event.c' }]);
  });

  it('that was appended behind the head, however well linked, is named', async () => {
    const { head } = await stateOf('db');
    const one = paused('g');
    await putEvent({
      id: 'event.g',
      kind: 'event',
      waveId: 'w1',
      workloadId: 'db',
      ...link(head, { event: one }),
      event: one,
    } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'behindHead', version: 8 }]);
  });

  it('of one workload does not fit into another, nor does a whole journal', async () => {
    const { event: moved, ...link } = await event('web', 'c');
    await putEvent({ ...link, event: moved } as Stored);
    const [db] = await misfits();
    expect(db).toMatchObject({ workloadId: 'db', code: 'altered', version: 4 });
    for (const document of await store.workloads.events('w1', 'web')) await putEvent(document as Stored);
    await putEvent({ ...(await stateOf('web')), workloadId: 'db' } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'altered', version: 1 }]);
  });
});

describe('the end of a journal', () => {
  it('that was cut off is noticed by the head', async () => {
    await containers.workloads.remove(key('db'), 'event.f');
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'truncated', version: 7 }]);
  });

  it('that was cut off with head and state mended is noticed by the anchor', async () => {
    const events = (await store.workloads.events('w1', 'db')).map((document) => document.event);
    await forge('db', events.slice(0, 3));
    const reason = 'anchor 3 of the wave knows 5 entries, the journal has 3';
    expect(await misfits()).toEqual([{ workloadId: 'db', code: 'truncated', version: 4, reason }]);
  });

  it('and a history that was written anew are noticed by the anchor', async () => {
    const events = (await store.workloads.events('w1', 'db')).map((document) => document.event);
    await forge(
      'db',
      events.map((one) => (one.id === 'b' ? paused('b', 'nicer') : one)),
    );
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'anchor', version: 5 }]);
  });

  it('that is forged in the head document is named', async () => {
    const document = await stateOf('db');
    await putEvent({ ...document, head: { ...document.head, hash: '0'.repeat(64) } } as Stored);
    expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'headForged', version: 7 }]);
  });
});

it('a state that is not the fold of its events is named', async () => {
  const document = await stateOf('db');
  await putEvent({ ...document, state: { ...document.state, phase: 'committed' } } as Stored);
  expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'stateForged' }]);
  expect(fold((await store.workloads.events('w1', 'db')).map((one) => one.event))?.phase).toBe('registered');
});

it('a step that began and never ended is listed, for its effects may be untold', async () => {
  const started: WorkloadEvent = {
    id: 's',
    time: at,
    source: 'platform',
    type: 'landfall.step.started',
    data: { step: 'finalDelta', attempt: 1 },
  };
  await store.workloads.append('w1', 'db', [started]);
  const open = [{ workloadId: 'db', step: 'finalDelta', since: at }];
  expect(await verifyWave(store, 'w1')).toMatchObject({ valid: true, open });
});

it('a workload that is gone is named', async () => {
  await containers.workloads.remove(key('db'), 'state');
  expect(await misfits()).toMatchObject([{ workloadId: 'db', code: 'gone' }]);
});

describe('the wave’s own journal', () => {
  const own = async () => store.journal.entries('w1');
  const put = (document: Stored) => containers.waves.put(['w1'], document);

  it('tells who posted and who started the wave', async () => {
    expect((await own()).map(({ entry }) => [entry.type, entry.source])).toEqual([
      ['landfall.wave.posted', 'user:ada'],
      ['landfall.wave.statusChanged', 'user:ada'],
      ['landfall.journal.anchored', 'platform'],
    ]);
  });

  it('names an entry that was changed, removed, inserted or cut off', async () => {
    const [first, second, third] = (await own()) as [EntryDocument, EntryDocument, EntryDocument];
    await put({ ...second, entry: { ...second.entry, source: 'user:mallory' } } as Stored);
    expect(await misfits()).toMatchObject([{ code: 'altered', version: 2 }]);
    await containers.waves.remove(['w1'], second.id);
    expect(await misfits()).toMatchObject([{ code: 'missing', version: 2 }]);
    await put(second as Stored);
    await put({ ...first, id: 'entry.zz' } as Stored);
    expect(await misfits()).toMatchObject([{ code: 'doubled' }]);
    await containers.waves.remove(['w1'], 'entry.zz');
    await containers.waves.remove(['w1'], third.id);
    expect(await misfits()).toMatchObject([{ code: 'truncated', version: 3 }]);
  });

  it('names an anchor whose root is not that of its heads', async () => {
    const third = (await own())[2] as EntryDocument;
    const { heads } = third.entry.data as { heads: object[] };
    const entry = { ...third.entry, data: { ...third.entry.data, heads: heads.slice(1) } };
    const before = (await own())[1] as EntryDocument;
    const head = link(before, entry);
    await put({ ...third, ...head, entry } as Stored);
    await put({ id: 'journal', kind: 'journal', waveId: 'w1', head } as Stored);
    expect(await misfits()).toMatchObject([{ code: 'anchor', version: 3 }]);
  });
});
