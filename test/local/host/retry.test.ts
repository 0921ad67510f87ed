import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readHostJson } from '../../../local/host/hostJson.ts';
import { retryPolicyOf } from '../../../local/host/retry.ts';

const hostJson = (settings = {}) => readHostJson(join(import.meta.dirname, 'fixtures/hello'), settings);
const policyOf = (retryOptions?: unknown, settings = {}) =>
  retryPolicyOf({ metadata: { name: 'f', bindings: {}, retryOptions }, callback: () => {} }, hostJson(settings));

// As @azure/functions hands it over.
const growing = {
  retryStrategy: 'exponentialBackoff',
  maxRetryCount: -1,
  minimumInterval: { seconds: 1 },
  maximumInterval: { seconds: 30 },
};

test('an exponential policy doubles from the shortest interval to the longest, with a spread of a fifth', () => {
  const policy = policyOf(growing);
  expect(policy?.maxRetryCount).toBe(-1);
  const delays = (random: number) => [1, 2, 3, 4, 7].map((retry) => policy?.delay(retry, random));
  expect(delays(0)).toEqual([1000, 1800, 2600, 4200, 26_600]);
  expect(delays(1)).toEqual([1000, 2200, 3400, 5800, 30_000]);
});

test('a policy of host.json holds for functions without one', () => {
  const setting = (member: string, value: string) => ({ [`AzureFunctionsJobHost__retry__${member}`]: value });
  const settings = {
    ...{ ...setting('strategy', 'fixedDelay'), ...setting('maxRetryCount', '2') },
    ...setting('delayInterval', '00:00:05'),
  };
  expect(policyOf(undefined, settings)?.delay(1, 0)).toBe(5000);
  expect(policyOf(growing, settings)?.delay(1, 0)).toBe(1000);
  expect(policyOf()).toBeUndefined();
});

test.each([
  [{ retryStrategy: 'fixedDelay', maxRetryCount: 3 }, 'delayInterval is missing'],
  [{ retryStrategy: 'fixedDelay', delayInterval: { seconds: 1 }, maxRetryCount: -2 }, 'maxRetryCount must be -1'],
  [{ ...growing, minimumInterval: { seconds: 31 } }, 'minimumInterval must not be longer than maximumInterval'],
  [{ retryStrategy: 'never', maxRetryCount: 3 }, 'retryStrategy must be fixedDelay or exponentialBackoff'],
])('%j is refused with the name of the function', (options, reason) => {
  expect(() => policyOf(options)).toThrow(`Function "f": its retry policy is not valid. ${reason}`);
});
