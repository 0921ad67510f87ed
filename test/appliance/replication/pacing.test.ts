// Sending no faster than the line allows, on a clock of the test's own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pacing, type PacingClock } from '../../../appliance/replication/pacing.ts';

const start = Date.parse('2026-12-01T09:00:00.000Z');
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

class StoodClock implements PacingClock {
  time = start;
  now = (): number => this.time;
  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.time += milliseconds;
  }
}
const never = new AbortController().signal;

async function sent(pacing: Pacing, clock: StoodClock, sizes: readonly number[]): Promise<number[]> {
  const times: number[] = [];
  for (const size of sizes) {
    await pacing.take(size, never);
    times.push((clock.time - start) / 1000);
  }
  return times;
}

test('what is sent never exceeds the rate by more than the last second of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10_000 }),
      fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 20 }),
      async (bytesPerSecond, sizes) => {
        const clock = new StoodClock();
        const times = await sent(new Pacing([{ from: at(0), bytesPerSecond }], clock), clock, sizes);
        let total = 0;
        for (const [index, time] of times.entries()) {
          total += sizes[index] ?? 0;
          expect(total).toBeLessThanOrEqual(bytesPerSecond * (time + 1) + 1);
        }
      },
    ),
  );
});

test('the rate changes when its hour comes, also in the middle of a request', async () => {
  const clock = new StoodClock();
  const pacing = new Pacing(
    [
      { from: at(0), bytesPerSecond: 10 },
      { from: at(5), bytesPerSecond: 1000 },
    ],
    clock,
  );
  expect(await sent(pacing, clock, [2000])).toEqual([6]);
});

test('without a rate there is no limit, and nobody who sent little before may burst later', async () => {
  const clock = new StoodClock();
  const pacing = new Pacing(
    [
      { from: at(0), bytesPerSecond: null },
      { from: at(10), bytesPerSecond: 100 },
    ],
    clock,
  );
  expect(await sent(pacing, clock, [1_000_000_000])).toEqual([0]);
  clock.time = start + 60_000;
  expect(await sent(pacing, clock, [100, 100, 100])).toEqual([60, 61, 62]);
});

test('who waits for the line and is told to stop, stops', async () => {
  const stopping = new AbortController();
  const pacing = new Pacing([{ from: at(0), bytesPerSecond: 1 }]);
  await pacing.take(1, never);
  const waiting = pacing.take(1_000_000, stopping.signal);
  stopping.abort(new Error('the sync is cancelled'));
  await expect(waiting).rejects.toThrow();
});
