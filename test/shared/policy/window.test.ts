import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, plusMs } from '../../../shared/policy/duration.ts';
import { latestStart, mayStart, type OpenWindow, resolveWindow } from '../../../shared/policy/window.ts';

const opened = (start: string, zone: string, duration = 'PT4H') => {
  const resolved = resolveWindow({ start, duration, zone });
  if ('problem' in resolved) throw new Error(resolved.problem.message);
  return resolved.window;
};

describe('a window', () => {
  it('is wall-clock time in its zone, summer and winter', () => {
    expect(opened('2026-12-05T22:00', 'Europe/Amsterdam')).toEqual({
      opens: '2026-12-05T21:00:00.000Z',
      closes: '2026-12-06T01:00:00.000Z',
      zone: 'Europe/Amsterdam',
    });
    expect(opened('2026-07-05T22:00:30', 'Europe/Amsterdam').opens).toBe('2026-07-05T20:00:30.000Z');
    expect(opened('2026-12-05T22:00', 'UTC').opens).toBe('2026-12-05T22:00:00.000Z');
  });

  it('moves a start that a clock change skips forward, and takes the first of two', () => {
    expect(opened('2026-03-29T02:30', 'Europe/Amsterdam').opens).toBe('2026-03-29T01:30:00.000Z');
    expect(opened('2026-10-25T02:30', 'Europe/Amsterdam').opens).toBe('2026-10-25T00:30:00.000Z');
  });

  it('is as long as it says, also across a clock change', () => {
    const window = opened('2026-10-24T22:00', 'Europe/Amsterdam', 'PT8H');
    expect(Date.parse(window.closes) - Date.parse(window.opens)).toBe(durationMs('PT8H'));
  });

  it.each([
    ['2026-12-05T22:00', 'Europe/Amsterdm', 'zone'],
    ['2026-12-05T22:00', '+01:00', 'zone'],
    ['2026-02-30T22:00', 'UTC', 'start'],
    ['2026-12-05T25:00', 'UTC', 'start'],
  ])('that starts %s in %s is refused for its %s', (start, zone, field) => {
    expect(resolveWindow({ start, duration: 'PT1H', zone })).toMatchObject({ problem: { field } });
  });

  it('of no length is refused', () => {
    expect(resolveWindow({ start: '2026-12-05T22:00', duration: 'PT0S', zone: 'UTC' })).toMatchObject({
      problem: { field: 'duration' },
    });
  });
});

it('work may start if and only if the window is open and the work ends before it closes', () => {
  const window: OpenWindow = { opens: '2026-12-05T21:00:00.000Z', closes: '2026-12-06T01:00:00.000Z', zone: 'UTC' };
  const minutes = fc.integer({ min: -300, max: 600 });
  fc.assert(
    fc.property(minutes, fc.integer({ min: 0, max: 300 }), (offset, length) => {
      const now = plusMs(window.opens, offset * 60_000);
      const verdict = mayStart(now, window, length * 60_000);
      expect(verdict.may).toBe(offset >= 0 && offset + length < 240);
      if (!verdict.may && offset >= 0) expect(verdict.reason).toContain(latestStart(window, length * 60_000));
    }),
  );
});
