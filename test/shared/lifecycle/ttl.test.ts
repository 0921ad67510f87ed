import { expect, it } from 'vitest';
import { type LoweredTtl, ttlAfter } from '../../../shared/lifecycle/ttl.ts';

const record = { zoneId: '/zone', record: 'db', type: 'A' as const };
const lowering = (wasSeconds: number, name = record) => ({
  type: 'landfall.ttl.lowering' as const,
  data: { records: [{ ...name, wasSeconds, seconds: 60 }] },
});
const lowered = (clearAt: string) => ({ type: 'landfall.ttl.lowered' as const, data: { clearAt } });
const fold = (...events: Parameters<typeof ttlAfter>[1][]) =>
  events.reduce<LoweredTtl | undefined>((ttl, event) => ttlAfter(ttl, event), undefined);

it('what a record lived is what was found first, however often it is lowered', () => {
  const found = fold(lowering(3600), lowering(60, { ...record, zoneId: '/ZONE' }));
  expect(found?.records).toEqual([{ ...record, wasSeconds: 3600 }]);
});

it('old answers run until the last of them has run out', () => {
  const [early, late] = ['2026-12-05T20:00:00.000Z', '2026-12-05T21:00:00.000Z'];
  expect(fold(lowering(60), lowered(late), lowered(early))?.clearAt).toBe(late);
  expect(fold(lowering(60))?.clearAt).toBeUndefined();
});

it('nothing is lowered any more once it was put back', () => {
  const restored = { type: 'landfall.ttl.restored' as const, data: { reason: 'told so' } };
  expect(fold(lowering(60), lowered('2026-12-05T21:00:00.000Z'), restored)).toBeUndefined();
});
