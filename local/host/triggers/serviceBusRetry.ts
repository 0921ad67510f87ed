// `clientRetryOptions` of host.json in the words of @azure/service-bus 7.9.5.
import { RetryMode, type RetryOptions } from '@azure/service-bus';
import type { HostJson } from '../hostJson.ts';

const longestAccept = 5000;

/** The options of a client; one for sessions retries nothing, because its workers ask again for ever. */
export function retryOptionsOf(
  { clientRetryOptions }: HostJson['extensions']['serviceBus'],
  isSession: boolean,
): RetryOptions {
  const { mode, tryTimeout, delay, maxDelay, maxRetries } = clientRetryOptions;
  const delays = {
    mode: mode === 'fixed' ? RetryMode.Fixed : RetryMode.Exponential,
    retryDelayInMs: delay,
    maxRetryDelayInMs: maxDelay,
  };
  // A pending accept of a session ends only by this timeout, also when the host stops.
  if (isSession) return { ...delays, maxRetries: 0, timeoutInMs: Math.min(tryTimeout, longestAccept) };
  return { ...delays, maxRetries, timeoutInMs: tryTimeout };
}
