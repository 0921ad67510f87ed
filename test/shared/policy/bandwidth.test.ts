import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Link } from '../../../shared/model/environment.ts';
import { paceFor } from '../../../shared/policy/bandwidth.ts';
import { source } from '../../fakes/definitions.ts';

const now = '2026-12-01T09:00:00.000Z';
const db = { source: source('db-01') };
const mpls = { id: 'mpls', sites: ['cellar'], syncs: 4 };
const paceOf = (...links: unknown[]) => paceFor(db, { links: links.map((link) => Link.parse(link)) }, now);

test('a line without a bandwidth, or of another site, limits nothing', () => {
  expect(paceOf(mpls)).toBeUndefined();
  expect(paceOf({ ...mpls, sites: ['attic'], megabitsPerSecond: 8 })).toBeUndefined();
});

test('each of the syncs that a line bears has its share of it', () => {
  expect(paceOf({ ...mpls, megabitsPerSecond: 32 })).toEqual([{ from: now, bytesPerSecond: 1_000_000 }]);
});

test('the share follows the hours of the week by the clock of their zone', () => {
  const office = { days: ['TU', 'WE'], from: '08:00', until: '18:00', zone: 'Europe/Amsterdam', megabitsPerSecond: 8 };
  expect(paceOf({ ...mpls, hours: [office] })?.slice(0, 4)).toEqual([
    { from: now, bytesPerSecond: 250_000 },
    { from: '2026-12-01T17:00:00.000Z', bytesPerSecond: null },
    { from: '2026-12-02T07:00:00.000Z', bytesPerSecond: 250_000 },
    { from: '2026-12-02T17:00:00.000Z', bytesPerSecond: null },
  ]);
});

test('over two lines the slower one counts at every instant', () => {
  const night = { from: '18:00', until: '06:00', zone: 'UTC', megabitsPerSecond: 80 };
  const pace = paceOf(
    { ...mpls, megabitsPerSecond: 32 },
    { ...mpls, id: 'vpn', megabitsPerSecond: 16, hours: [night] },
  );
  expect(pace?.slice(0, 3)).toEqual([
    { from: now, bytesPerSecond: 500_000 },
    { from: '2026-12-01T18:00:00.000Z', bytesPerSecond: 1_000_000 },
    { from: '2026-12-02T06:00:00.000Z', bytesPerSecond: 500_000 },
  ]);
});

test('all syncs of a line together never send more than it has', () => {
  const rates = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 1000 }), (kilobits, syncs) => {
      const [first] = paceOf({ ...mpls, syncs, megabitsPerSecond: kilobits / 1000 }) ?? [];
      const share = first?.bytesPerSecond ?? 0;
      expect(share).toBeGreaterThanOrEqual(1);
      if (share > 1) expect(share * syncs * 8).toBeLessThanOrEqual(kilobits * 1000 * (1 + 1e-9));
    }),
  );
});

test('a bandwidth needs to know among how many it is shared', () => {
  const { error } = Link.safeParse({ id: 'mpls', sites: ['cellar'], megabitsPerSecond: 8 });
  expect(error?.issues[0]).toMatchObject({ path: ['syncs'], message: expect.stringContaining('its share') });
});
