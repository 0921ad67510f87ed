// Which syncs start first, and what the others wait for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncKind } from '../../../shared/lifecycle/state.ts';
import { admit, type Claim, type QueuedSync } from '../../../shared/policy/budgets.ts';
import { claimsOf } from '../../../shared/policy/claims.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import { environment, source } from '../../fakes/definitions.ts';

const at = '2026-12-01T10:00:00.000Z';
const rank = { final: 0, initial: 1, delta: 2 };
const limits = { a: 3, b: 5, c: 1 };
const claim = fc
  .constantFrom<keyof typeof limits>('a', 'b', 'c')
  .chain((budget) => fc.integer({ min: 1, max: 3 }).map((units): Claim => ({ budget, units, limit: limits[budget] })));
const claims = fc.uniqueArray(claim, { maxLength: 3, selector: ({ budget }) => budget });
const queue = fc.uniqueArray(
  fc.record({
    key: fc.uuid(),
    kind: fc.constantFrom<SyncKind>('initial', 'delta', 'final'),
    queuedAt: fc.integer({ min: 0, max: 9 }).map((s) => plusMs(at, s * 1000)),
    claims,
  }),
  { maxLength: 20, selector: ({ key }) => key },
);
const running = fc.array(fc.record({ claims }), { maxLength: 4 });
const unitsOf = (some: readonly Pick<QueuedSync, 'claims'>[], budget: string) =>
  some.flatMap((sync) => sync.claims).reduce((sum, one) => sum + (one.budget === budget ? one.units : 0), 0);

describe('admission', () => {
  it('adds to no budget that is in use more than it has, and loses nobody', () => {
    fc.assert(
      fc.property(queue, running, (queued, busy) => {
        const { admitted, waiting } = admit(queued, busy);
        expect(admitted.length + waiting.length).toBe(queued.length);
        for (const [budget, limit] of Object.entries(limits)) {
          const before = unitsOf(busy, budget);
          const added = unitsOf(admitted, budget);
          const alone = admitted.some((sync) => unitsOf([sync], budget) === added) && before === 0;
          if (added > 0 && !alone) expect(before + added).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('keeps nobody waiting who is first for what it needs and would fit', () => {
    fc.assert(
      fc.property(queue, running, (queued, busy) => {
        const { admitted, waiting } = admit(queued, busy);
        const all = [...busy, ...admitted];
        for (const { sync, position } of waiting) {
          if (position > 1) continue;
          const full = sync.claims.some(({ budget, units, limit }) => {
            const used = unitsOf(all, budget);
            return used > 0 && used + units > limit;
          });
          const behind = waiting.some(
            (other) => other.sync !== sync && other.sync.claims.some(({ budget }) => unitsOf([sync], budget) > 0),
          );
          expect(full || behind).toBe(true);
        }
      }),
    );
  });

  it('lets nobody pass on the same budget who is of a lesser kind, or younger', () => {
    fc.assert(
      fc.property(queue, running, (queued, busy) => {
        const { admitted, waiting } = admit(queued, busy);
        for (const { sync: left, reason } of waiting)
          for (const taken of admitted.filter((one) => one.claims.some(({ budget }) => reason.startsWith(budget)))) {
            expect(rank[taken.kind]).toBeLessThanOrEqual(rank[left.kind]);
            if (taken.kind === left.kind) expect(taken.queuedAt <= left.queuedAt).toBe(true);
          }
      }),
    );
  });

  const sync = (key: string, units: number, more: Partial<QueuedSync> = {}): QueuedSync => ({
    ...{ key, kind: 'delta', queuedAt: at, claims: [{ budget: 'disks of hypervisor one', units, limit: 8 }] },
    ...more,
  });

  it('says what a sync waits for, and its place among those who wait for the same', () => {
    const { admitted, waiting } = admit([sync('1', 6), sync('2', 4), sync('3', 1)], []);
    expect(admitted.map(({ key }) => key)).toEqual(['1']);
    expect(waiting.map(({ position, reason }) => [position, reason])).toEqual([
      [1, 'disks of hypervisor one: 6 of 8 are in use, 4 needed'],
      [2, 'disks of hypervisor one: 6 of 8 are in use, 1 needed'],
    ]);
  });

  it('gives a budget that one sync exceeds to it alone, once nobody else uses it', () => {
    expect(admit([sync('1', 20)], [sync('0', 1)]).admitted).toEqual([]);
    expect(admit([sync('1', 20), sync('2', 1)], []).admitted.map(({ key }) => key)).toEqual(['1']);
  });

  it('lets others go before a sync that a blackout holds', () => {
    const held = sync('1', 8, { heldUntil: '2026-12-01T17:00:00.000Z' });
    const { admitted, waiting } = admit([held, sync('2', 8)], []);
    expect(admitted.map(({ key }) => key)).toEqual(['2']);
    expect(waiting[0]?.reason).toBe('a blackout of syncs until 2026-12-01T17:00:00.000Z');
  });
});

describe('a sync', () => {
  const [disk] = source('db-01').disks;
  const db = source('db-01', {
    hypervisor: 'kvm-1',
    disks: ['os', 'data'].map((id) => ({ ...disk!, id, datastore: 'fast' })),
    snapshot: { take: ['take'], release: ['release'] },
  });
  const spelled = (...of: Parameters<typeof claimsOf>) =>
    claimsOf(...of).map(({ budget, units, limit }) => `${budget}: ${units} of ${limit}`);

  it('takes of its appliance, its hypervisor, its datastores, its lines and its subscription, within published limits', () => {
    const links = [{ id: 'mpls', sites: ['cellar'], syncs: 4, hours: [] }];
    expect(spelled({ applianceId: 'worker-cellar', source: db }, { ...environment, links }, 50)).toEqual([
      'syncs of appliance worker-cellar: 1 of 50',
      'disks of appliance worker-cellar: 2 of 52',
      'disks of hypervisor cellar/kvm-1: 2 of 8',
      'snapshots on datastore cellar/fast: 2 of 15',
      'syncs over link mpls: 1 of 4',
      'syncs of site cellar: 1 of 300',
      `syncs into subscription ${environment.subscriptionId}: 1 of 500`,
    ]);
  });

  it('is bounded by what the environment says instead', () => {
    const budgets = { hypervisorDisks: 2, applianceSyncs: 3 };
    const found = spelled({ applianceId: 'worker-cellar', source: db }, { ...environment, budgets }, 50);
    expect(found).toContain('disks of hypervisor cellar/kvm-1: 2 of 2');
    expect(found).toContain('syncs of appliance worker-cellar: 1 of 3');
  });
});
