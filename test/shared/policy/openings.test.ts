import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plusMs } from '../../../shared/policy/duration.ts';
import { currentOpening, latestStart, mayStart } from '../../../shared/policy/openings.ts';

const first = { opens: '2026-12-05T21:00:00.000Z', closes: '2026-12-06T01:00:00.000Z' };
const second = { opens: '2026-12-12T21:00:00.000Z', closes: '2026-12-13T01:00:00.000Z' };

it('work may start if and only if a window is open and the work ends before it closes', () => {
  const minutes = fc.integer({ min: -300, max: 600 });
  fc.assert(
    fc.property(minutes, fc.integer({ min: 0, max: 300 }), (offset, length) => {
      const now = plusMs(first.opens, offset * 60_000);
      const verdict = mayStart(now, [first], length * 60_000);
      expect(verdict.may).toBe(offset >= 0 && offset + length < 240);
      if (!verdict.may && offset >= 0) expect(verdict.reason).toContain(latestStart(first, length * 60_000));
    }),
  );
});

it('what comes too late for one window is told when the next one opens', () => {
  const tooLate = mayStart('2026-12-06T00:30:00.000Z', [first, second], 3_600_000);
  expect(tooLate).toMatchObject({ may: false, why: 'tooLate', reason: expect.stringContaining(second.opens) });
  expect(mayStart(first.closes, [first, second])).toMatchObject({ may: false, why: 'notOpenYet' });
  expect(mayStart(second.closes, [first, second])).toMatchObject({ may: false, why: 'tooLate' });
  expect(mayStart(second.opens, [first, second])).toEqual({ may: true, window: second });
});

it('the current opening is the one that has not closed', () => {
  expect(currentOpening([first, second], first.opens)).toBe(first);
  expect(currentOpening([first, second], first.closes)).toBe(second);
  expect(currentOpening([first, second], second.closes)).toBeUndefined();
});
