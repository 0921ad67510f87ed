// Microsoft's published patterns. One test file for all of them, as each test file loads the SDK anew.
import { expect, test } from 'vitest';
import './chains.ts';
import './failures.ts';
import './families.ts';
import './repetition.ts';
import './replays.ts';
import './threeWeeks.ts';
import './versions.ts';
import './waits.ts';
import { allCrashes } from './rehearsal.ts';

test('the faults have happened', () => {
  expect(allCrashes()).toBeGreaterThan(10);
});
