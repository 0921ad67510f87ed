import { expect, test } from 'vitest';
import { letLeave } from '../../../shared/store/leaving.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';

test('of two who ask at the same instant only one is let go, and whoever was let go may ask again', async () => {
  const { store } = await shop();
  const said = await Promise.all([letLeave(store, 'w1', ['web']), letLeave(store, 'w1', ['app'])]);
  expect(said.filter((why) => why === undefined)).toHaveLength(1);
  expect(said.find((why) => why !== undefined)).toMatch(/nobody would be left|would stay and depends on/);
  const gone = (await store.leaving.get('w1'))?.workloadIds ?? [];
  expect(gone).toHaveLength(1);
  expect(await letLeave(store, 'w1', gone)).toBeUndefined();
});

test('who was let go in an earlier attempt is a member again', async () => {
  const { store } = await shop();
  expect(await letLeave(store, 'w1', ['web'])).toBeUndefined();
  expect(await letLeave(store, 'w1', ['app'])).toBe('nobody would be left in the group');
  await store.waves.change('w1', (wave) => ({ ...wave, attempt: wave.attempt + 1 }));
  expect(await letLeave(store, 'w1', ['app'])).toBe('web would stay and depends on app');
});

/** A wave whose group `shop` has `app`, and `web` that needs it. */
async function shop() {
  const reach = fakeReach();
  await withWave(reach);
  return reach;
}
