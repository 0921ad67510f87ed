// How much is on its way at a time, over lines of any speed, on a clock of the test's own.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flight } from '../../../appliance/replication/flight.ts';

const MIB = 2 ** 20;
const lanes = 6;
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A line that carries one thing after the other. */
class Line {
  bytesPerSecond: number;
  #freeAt = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  carry(bytes: number): Promise<void> {
    this.#freeAt = Math.max(this.#freeAt, Date.now()) + (bytes / this.bytesPerSecond) * 1000;
    return new Promise((resolve) => setTimeout(resolve, this.#freeAt - Date.now()));
  }
}

/** Sends so many requests in lanes; tells the most seconds that were on their way at a time, and how long all took. */
async function send(flight: Flight, line: Line, sizes: readonly number[]): Promise<{ most: number; seconds: number }> {
  const began = Date.now();
  const left = [...sizes];
  let most = 0;
  const lane = async (): Promise<void> => {
    for (let bytes = left.shift(); bytes !== undefined; bytes = left.shift()) {
      const mine = bytes;
      await flight.carry(mine, never, () => {
        most = Math.max(most, flight.bytes / line.bytesPerSecond);
        return line.carry(mine);
      });
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  const ended = all.then(() => (Date.now() - began) / 1000);
  await vi.runAllTimersAsync();
  return { most, seconds: await ended };
}

const blocks = (count: number): number[] => Array<number>(count).fill(4 * MIB);
const now = (): number => Date.now();

it('on any line, what is on its way takes two seconds or is one request, and the line is never idle for it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: MIB / 4, max: 1000 * MIB }), async (bytesPerSecond) => {
      const sizes = blocks(40);
      const { most, seconds } = await send(new Flight(now), new Line(bytesPerSecond), sizes);
      const one = (4 * MIB) / bytesPerSecond;
      expect(most).toBeLessThanOrEqual(Math.max(2, one) + 0.05);
      expect(seconds).toBeLessThanOrEqual(sizes.length * one * 1.01 + 0.1);
    }),
  );
});

it('a line that becomes slower has less on its way soon, also after a while of small requests', async () => {
  const line = new Line(200 * MIB);
  const flight = new Flight(now);
  await send(flight, line, blocks(40));
  line.bytesPerSecond = MIB;
  expect((await send(flight, line, blocks(12))).most).toBeGreaterThan(5);
  await send(flight, line, Array<number>(50).fill(4096));
  expect((await send(flight, line, blocks(12))).most).toBeLessThanOrEqual(8);
  line.bytesPerSecond = 200 * MIB;
  const { seconds } = await send(flight, line, blocks(100));
  expect(seconds).toBeLessThan(2.3);
});

it('small requests are not held up by each other', async () => {
  const flight = new Flight(now);
  let together = 0;
  const all = Array.from({ length: 500 }, () =>
    flight.carry(4096, never, async () => {
      together = Math.max(together, flight.bytes / 4096);
      await sleep(50);
    }),
  );
  await vi.runAllTimersAsync();
  await Promise.all(all);
  expect(together).toBe(500);
});

it('who gives up does not wait, and holds up nobody; what fails makes room', async () => {
  const flight = new Flight(now);
  const giveUp = new AbortController();
  const failing = flight.carry(4 * MIB, never, async () => {
    await sleep(100);
    throw new Error('the line is cut');
  });
  const waiting = flight.carry(4 * MIB, giveUp.signal, async () => 'carried');
  const next = flight.carry(1 * MIB, never, async () => 'carried, too');
  giveUp.abort(new Error('enough'));
  const settled = Promise.allSettled([failing, waiting, next]);
  await vi.runAllTimersAsync();
  expect((await settled).map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
    'Error: the line is cut',
    'Error: enough',
    'carried, too',
  ]);
  expect(flight.bytes).toBe(0);
});
