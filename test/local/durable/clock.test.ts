import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../local/durable/clock.ts';

const minute = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

test('a wait ends at its time, however long it is, and a cancelled one never', () => {
  const wake = vi.fn();
  const cancelled = vi.fn();
  const time = systemClock.now() + 30 * 24 * 60 * minute;
  systemClock.at(time, wake);
  systemClock.at(time, cancelled)();
  vi.advanceTimersByTime(30 * 24 * 60 * minute - 1);
  expect(wake).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wake).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(minute);
  expect([wake, cancelled].map((each) => each.mock.calls.length)).toEqual([1, 0]);
});

test('a machine that slept through the time wakes soon after, not later by its sleep', () => {
  const wake = vi.fn();
  const time = systemClock.now() + 8 * 60 * minute;
  systemClock.at(time, wake);
  vi.advanceTimersByTime(minute);
  vi.setSystemTime(time);
  vi.advanceTimersByTime(minute / 2);
  expect(wake).toHaveBeenCalledOnce();
});

test('a clock that was set back does not make a wait end early', () => {
  const wake = vi.fn();
  const time = systemClock.now() + minute;
  systemClock.at(time, wake);
  vi.setSystemTime(time - 10 * minute);
  vi.advanceTimersByTime(2 * minute);
  expect(wake).not.toHaveBeenCalled();
  vi.advanceTimersByTime(8 * minute);
  expect(wake).toHaveBeenCalledOnce();
});
