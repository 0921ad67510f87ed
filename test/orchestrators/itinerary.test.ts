import { expect, test } from 'vitest';
import { allSteps } from '../../orchestrators/itinerary.ts';
import { stepNames } from '../../shared/model/steps.ts';

test('the steps that definitions may name are the steps that there are', () => {
  expect(allSteps.map(({ name }) => name)).toEqual(stepNames);
});
