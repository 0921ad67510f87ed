import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncRun } from '../../../../shared/lifecycle/state.ts';
import { converges, finalDelta, highOf, movingAverage, ratesOf } from '../../../../shared/policy/fit/rates.ts';

const megabyte = 1_000_000;
const initial: SyncRun = { kind: 'initial', seconds: 100, readBytes: 1000 * megabyte, changedBytes: 1000 * megabyte };
const delta = (changed: number, seconds: number, sinceSeconds = 900): SyncRun => ({
  kind: 'delta',
  seconds,
  sinceSeconds,
  readBytes: 1000 * megabyte,
  changedBytes: changed * megabyte,
});
/** A source that changes so many megabytes a second and is carried at 10 MB/s, its syncs back to back. */
function backToBack(churn: number, syncs: number): SyncRun[] {
  const runs = [initial];
  for (let since = 100; runs.length <= syncs; since = runs.at(-1)!.seconds)
    runs.push(delta(churn * since, (churn * since) / 10, since));
  return runs;
}

describe('what a workload’s syncs tell', () => {
  it('is how fast it changes, how fast that was carried at best, and what a sync costs besides', () => {
    const { churn, throughput, overhead, deltas } = ratesOf(
      [initial, delta(90, 50), delta(90, 50), delta(180, 60)],
      1000 * megabyte,
    );
    expect(throughput).toBe(10 * megabyte);
    expect(churn.expected).toBeCloseTo(0.1 * megabyte + 0.3 * 0.1 * megabyte);
    expect(churn.high).toBe(0.2 * megabyte);
    // 50 s less the 9 s that 90 MB take; 60 s less 18 s.
    expect(overhead).toEqual({ expectedMs: expect.closeTo(41_300), highMs: 42_000 });
    expect(deltas).toBe(3);
  });

  it('is assumed with caution while there is no delta, and taken with caution from the first ones', () => {
    expect(ratesOf([], 86_400 * megabyte)).toMatchObject({
      churn: { expected: 50_000, high: expect.any(Number) },
      deltas: 0,
    });
    expect(ratesOf([initial], 1000 * megabyte)).toMatchObject({ overhead: { expectedMs: 100_000, highMs: 150_000 } });
    expect(ratesOf([initial, delta(90, 50)], 1000 * megabyte)).toMatchObject({ churn: { high: 0.15 * megabyte } });
  });

  it('is that deltas never catch up if and only if they change as fast as they are carried', () => {
    expect(converges(ratesOf(backToBack(9, 6), 1e12))).toBe(true);
    expect(converges(ratesOf(backToBack(10, 6), 1e12))).toBe(false);
    expect(converges(ratesOf(backToBack(12, 6), 1e12))).toBe(false);
  });

  it('is never less for more churn, more time since, or larger disks', () => {
    const positive = fc.double({ min: 0, max: 1e9, noNaN: true });
    const rates = fc.record({
      churn: fc.record({ expected: positive, high: positive }),
      throughput: fc.double({ min: 1, max: 1e9, noNaN: true }),
      overhead: fc.record({ expectedMs: positive, highMs: positive }),
      deltas: fc.nat(),
    });
    fc.assert(
      fc.property(
        rates,
        positive,
        positive,
        fc.double({ min: 1, max: 3, noNaN: true }),
        (given, sinceMs, disks, factor) => {
          const base = finalDelta(given, sinceMs, disks);
          const churn = { expected: given.churn.expected * factor, high: given.churn.high * factor };
          for (const more of [
            finalDelta({ ...given, churn }, sinceMs, disks),
            finalDelta(given, sinceMs * factor, disks),
            finalDelta(given, sinceMs, disks * factor),
          ]) {
            expect(more.expectedMs).toBeGreaterThanOrEqual(base.expectedMs);
            expect(more.highMs).toBeGreaterThanOrEqual(base.highMs);
          }
        },
      ),
    );
  });
});

it('a high percentile is one of the values, or the moving average if that is more', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }), (values) => {
      const high = highOf(values);
      expect(high).toBeGreaterThanOrEqual(movingAverage(values));
      expect(high).toBeLessThanOrEqual(Math.max(...values) * (1 + 1e-9));
      expect(values.filter((value) => value > high).length).toBeLessThanOrEqual(values.length * 0.05);
    }),
  );
});
