import { describe, expect, test } from 'vitest';
import type { Collection } from '../../../shared/store/collection.ts';
import type { AttentionDocument, ControlDocument } from '../../../shared/store/documents.ts';
import { letLeave } from '../../../shared/store/leaving.ts';
import { memoryCollections } from '../../../shared/store/memory.ts';
import { storeOn } from '../../../shared/store/storeOn.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';

const at = '2026-12-01T00:00:00.000Z';
const order = (workloadId: string): { create: ControlDocument } => {
  const signal = { action: 'rollback', to: 'replicating', by: 'carl', reason: 'told so' } as const;
  const id = `control.${workloadId}`;
  return {
    create: {
      ...{ id, kind: 'control', waveId: 'w1', instanceIds: ['group-w1.shop-0'], at },
      signal: { ...signal, id, at, workloadIds: [workloadId] },
    },
  };
};
const refusal = (said: Awaited<ReturnType<typeof letLeave>>) => ('refused' in said ? said.refused : undefined);

test('of two who ask at the same instant only one is let go, and whoever was let go may ask again', async () => {
  const { store } = await shop();
  const said = await Promise.all(['web', 'app'].map((id) => letLeave(store, 'w1', [id], order(id))));
  expect(said.filter((each) => refusal(each) === undefined)).toHaveLength(1);
  expect(said.map(refusal).find((why) => why !== undefined)).toMatch(/nobody would be left|would stay and depends on/);
  const gone = (await store.leaving.get('w1'))?.workloadIds ?? [];
  expect(gone).toHaveLength(1);
  expect((await store.controls.list('w1')).map(({ id }) => id)).toEqual(gone.map((id) => `control.${id}`));
  expect(refusal(await letLeave(store, 'w1', gone, order('again')))).toBeUndefined();
  expect(await store.controls.list('w1')).toHaveLength(2);
});

test('who was let go in an earlier attempt is a member again', async () => {
  const { store } = await shop();
  expect(refusal(await letLeave(store, 'w1', ['web'], order('web')))).toBeUndefined();
  expect(refusal(await letLeave(store, 'w1', ['app'], order('app')))).toBe('nobody would be left in the group');
  await store.waves.change('w1', (wave) => ({ ...wave, attempt: wave.attempt + 1 }));
  expect(refusal(await letLeave(store, 'w1', ['app'], order('app')))).toBe('web would stay and depends on app');
});

describe('a process that dies as it lets somebody go', () => {
  // More writes than it makes: the last rounds go through.
  const rounds = [1, 2, 3, 4].flatMap((write) => (['before', 'after'] as const).map((when) => [when, write] as const));

  test.each(rounds)('%s its write %d leaves nobody counted as gone whom nothing tells', async (when, write) => {
    const { store, dies } = await shop();
    dies(write, when);
    const said = await letLeave(store, 'w1', ['web'], order('web')).catch(() => 'died');
    const gone = (await store.leaving.get('w1'))?.workloadIds ?? [];
    const orders = await store.controls.list('w1');
    expect(orders.flatMap(({ signal }) => ('workloadIds' in signal ? signal.workloadIds : []))).toEqual(gone);
    expect(said === 'died').toBe(write === 1);
    // Whoever asks again is answered as if nothing had been.
    expect(refusal(await letLeave(store, 'w1', ['web'], order('web')))).toBeUndefined();
    expect((await store.leaving.get('w1'))?.workloadIds).toEqual(['web']);
    expect(await store.controls.list('w1')).toHaveLength(1);
  });

  test.each(['before', 'after'] as const)(
    '%s the answer to a question is written keeps both or neither',
    async (when) => {
      const { store, dies } = await shop();
      const { id } = await store.attentions.open(question);
      const answer = { choice: 'rollback', by: 'carl', reason: 'told so', at, alone: true } as const;
      const answered = {
        id,
        change: (asked: AttentionDocument) => ({ ...asked, status: 'answered' as const, answer }),
      };
      dies(1, when);
      await expect(letLeave(store, 'w1', ['web'], answered)).rejects.toThrow('it dies');
      const [stands] = await store.attentions.list('w1');
      const isGone = (await store.leaving.get('w1')) !== undefined;
      expect([stands?.status, isGone]).toEqual(when === 'after' ? ['answered', true] : ['open', false]);
    },
  );
});

const question: AttentionDocument = {
  ...{ id: 'attention.1', kind: 'attention', waveId: 'w1', step: 'initialSync', workloadIds: ['web'] },
  ...{ during: 'run', choices: ['retry', 'rollback'], status: 'open', openedAt: at, operationId: 'prepare-w1.web-0:x' },
  failure: { code: 'syncFailed', kind: 'terminal', message: 'It failed.', suggestion: 'Mend it.' },
};

/** A wave whose group `shop` has `app`, and `web` that needs it; in a store whose process may die at a write. */
async function shop() {
  const collections = memoryCollections();
  let [left, when] = [Number.POSITIVE_INFINITY, 'before'];
  const writes = new Set<string | symbol>(['commit', 'create', 'put', 'replace', 'remove']);
  const waves = new Proxy<Collection>(collections.waves, {
    get: (target, name) => {
      const method = Reflect.get(target, name).bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (!writes.has(name)) return method;
      return async (...args: unknown[]) => {
        const isLast = --left === 0;
        if (isLast && when === 'before') throw new Error('it dies');
        const result = await method(...args);
        if (isLast) throw new Error('it dies');
        return result;
      };
    },
  });
  const reach = { ...fakeReach(), store: storeOn({ ...collections, waves }, () => at) };
  await withWave(reach);
  const dies = (write: number, moment: 'before' | 'after') => {
    [left, when] = [write, moment];
  };
  return { ...reach, dies };
}
