// What silence of a sync means, and how far behind it leaves a source.
import { describe, expect, it } from 'vitest';
import type { SyncRegion } from '../../../shared/lifecycle/state.ts';
import { plusMs } from '../../../shared/policy/duration.ts';
import { closeEnough, lagMs } from '../../../shared/policy/lag.ts';
import { dispatchesAtMost, isSilent, judgeSync } from '../../../shared/policy/stall.ts';

const at = '2026-12-01T10:00:00.000Z';
describe('silence', () => {
  const running: SyncRegion = {
    status: 'running',
    syncId: 's',
    kind: 'delta',
    operationId: 'o',
    attempt: 1,
    dispatchedAt: at,
    heardAt: at,
  };
  it('of a running sync for as long as its profile says is a stall', () => {
    expect(judgeSync(running, 'PT5M', true, plusMs(at, 299_999))).toEqual({ what: 'leave' });
    expect(judgeSync(running, 'PT5M', false, plusMs(at, 300_000))).toEqual({ what: 'stalled', silentSeconds: 300 });
  });
  it('is answered by another dispatch once the appliance lives, and given up after the last', () => {
    const stalled: SyncRegion = { ...running, status: 'stalled', attempt: 3 };
    expect(judgeSync(stalled, 'PT5M', false, at)).toEqual({ what: 'leave' });
    expect(judgeSync(stalled, 'PT5M', true, at)).toEqual({ what: 'dispatch', attempt: 4 });
    expect(judgeSync({ ...stalled, attempt: dispatchesAtMost }, 'PT5M', true, at)).toMatchObject({ what: 'withdraw' });
  });
  it('means nothing for syncs that nobody has dispatched', () => {
    for (const status of ['idle', 'queued', 'paused'] as const)
      expect(judgeSync({ ...running, status }, 'PT5M', true, plusMs(at, 1e9))).toEqual({ what: 'leave' });
  });
  it('of an appliance begins after three missed heartbeats', () => {
    expect(isSilent(at, 30, plusMs(at, 90_000))).toBe(false);
    expect(isSilent(at, 30, plusMs(at, 90_001))).toBe(true);
    expect(isSilent(undefined, 30, at)).toBe(true);
  });
});

describe('lag', () => {
  it('counts from the start of the last sync: that is what its point holds', () => {
    const points = [{ startedAt: at }, { startedAt: plusMs(at, 60_000) }];
    expect(lagMs(points, plusMs(at, 90_000))).toBe(30_000);
    expect(closeEnough(points, 'PT30S', plusMs(at, 90_000))).toBe(true);
    expect(closeEnough(points, 'PT30S', plusMs(at, 90_001))).toBe(false);
    expect(closeEnough([], 'P1D', at)).toBe(false);
  });
});
