import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease } from '../../../local/host/triggers/cosmosLeases.ts';
import { shareOf } from '../../../local/host/triggers/cosmosShare.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const lease = (n: number, Owner: string | null): Lease => ({
  ...{ id: `l${n}`, _etag: '', Owner, ContinuationToken: null, properties: {} },
  FeedRange: { Range: { min: String(n), max: String(n + 1) } },
  timestamp: new Date(now).toISOString(),
});

/** One host's turn: it takes what is free, asks for more, and whoever is asked gives. */
function turn(leases: Lease[], owner: string): void {
  const served = new Set(leases.filter(({ Owner }) => Owner === owner).map(({ id }) => id));
  const { take, ask } = shareOf(leases, { owner, served, now, expiration: 1000 });
  for (const { id } of take) {
    const taken = leases.find((each) => each.id === id);
    expect(taken?.Owner).toBeNull();
    if (taken) Object.assign(taken, { Owner: owner, properties: {} });
  }
  const given = leases.find(({ id }) => id === ask?.id);
  if (given) Object.assign(given, { Owner: null, properties: { wantedBy: owner } });
}

test('hosts that come and go end with equal shares, every range served and none asked for back', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat(4)), (count, hosts, order) => {
      const leases = Array.from({ length: count }, (_, n) => lease(n, n % 3 === 0 ? 'h0' : null));
      const names = Array.from({ length: hosts }, (_, n) => `h${n}`);
      for (let round = 0; round < 60; round++) turn(leases, names[(order.next().value ?? 0) % hosts] ?? '');
      for (let round = 0; round < 3 * count; round++) for (const name of names) turn(leases, name);
      const shares = names.map((name) => leases.filter(({ Owner }) => Owner === name).length);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(count);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      const settled = leases.map(({ Owner }) => Owner);
      for (const name of names) turn(leases, name);
      expect(leases.map(({ Owner }) => Owner)).toEqual(settled);
    }),
    { numRuns: 60 },
  );
});

test('leases of ours that nobody serves are taken back, those of others only once they have expired', () => {
  const leases = [lease(0, 'me'), lease(1, 'other'), lease(2, 'other')];
  const ask = (later: number, served: string[]) =>
    shareOf(leases, { owner: 'me', served: new Set(served), now: now + later, expiration: 1000 });
  expect(ask(1000, []).take.map(({ id }) => id)).toEqual(['l0']);
  expect(ask(1000, ['l0']).take).toEqual([]);
  expect(ask(1001, ['l0']).take.map(({ id }) => id)).toEqual(['l1', 'l2']);
});
