import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Duration } from '../../../shared/model/ids.ts';
import { durationMs, plusMs } from '../../../shared/policy/duration.ts';

it('a duration is the sum of its parts', () => {
  const part = fc.integer({ min: 0, max: 500 });
  fc.assert(
    fc.property(part, part, part, part, (d, h, m, s) => {
      const text = `P${d}DT${h}H${m}M${s}S`;
      expect(Duration.safeParse(text).success).toBe(true);
      expect(durationMs(text)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1000);
    }),
  );
});

it.each([
  ['PT45M', 2_700_000],
  ['P1DT2H', 93_600_000],
  ['PT0.25S', 250],
  ['PT0S', 0],
])('%s is %i milliseconds', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

it('refuses what is no duration, and prints instants as the store keeps them', () => {
  expect(() => durationMs('45 minutes')).toThrow(RangeError);
  expect(plusMs('2026-12-01T00:00:00.000Z', 1500)).toBe('2026-12-01T00:00:01.500Z');
});
