import { expect, it } from 'vitest';
import { allSteps } from '../../../orchestrators/itinerary.ts';
import { Phase } from '../../../shared/lifecycle/phases.ts';
import type { StepRecord } from '../../../shared/lifecycle/state.ts';
import { together, wayBackOf } from '../../../shared/policy/wayBack.ts';

const at = '2026-12-01T00:00:00.000Z';
const steps = (...names: string[]) =>
  Object.fromEntries(
    names.map((name): [string, StepRecord] => [name, { status: 'completed', attempt: 1, startedAt: at }]),
  );
const cutOver = steps('osAgent', 'initialSync', 'deltaSyncs', 'stopServices', 'finalDelta', 'postCutover');

it('is free before traffic moves, costs data after it, and is closed by the commit', () => {
  const ways = Object.values(Phase).map((phase) => [phase, wayBackOf({ phase, steps: cutOver }, allSteps)] as const);
  for (const [phase, { may, by }] of ways)
    if (phase === 'committed') expect([may, by]).toEqual(['none', null]);
    else if (phase === 'trafficMoved' || phase === 'validating')
      expect([may, by]).toEqual(['acceptDataLoss', 'approver']);
    else expect([phase, may, by]).toEqual([phase, 'free', 'operator']);
});

it('counts the phase that attention and paused were entered from', () => {
  for (const phase of ['attention', 'paused'] as const) {
    expect(wayBackOf({ phase, remembered: 'validating', steps: {} }, allSteps).may).toBe('acceptDataLoss');
    expect(wayBackOf({ phase, remembered: 'sourceOff', steps: {} }, allSteps).may).toBe('free');
  }
});

it('names what would be undone, last first, and apart from it what withdrawing undoes as well', () => {
  const undone = { ...cutOver, postCutover: { status: 'undone', attempt: 1, startedAt: at } as const };
  expect(wayBackOf({ phase: 'sourceOff', steps: undone }, allSteps)).toMatchObject({
    undoes: ['finalDelta', 'stopServices'],
    withdrawing: ['deltaSyncs', 'initialSync', 'osAgent'],
  });
  expect(wayBackOf({ phase: 'committed', steps: cutOver }, allSteps)).toMatchObject({ undoes: [], withdrawing: [] });
});

it('of several workloads the hardest way back counts for all', () => {
  const way = (phase: Phase) => wayBackOf({ phase, steps: cutOver }, allSteps);
  expect(together([way('sourceOff'), way('validating')])).toMatchObject({ may: 'acceptDataLoss', by: 'approver' });
  expect(together([way('validating'), way('committed')])).toMatchObject({ may: 'none', by: null, undoes: [] });
  expect(together([way('sourceOff'), way('sourceOff')]).undoes).toEqual(['postCutover', 'finalDelta', 'stopServices']);
});
