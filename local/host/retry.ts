// Retry policies of functions (https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages#retry-policies):
// for timers and change feeds the host itself runs a failed invocation again; other triggers have ways of their own.
import { z } from 'zod';
import type { RegisteredFunction } from './coreModule.ts';
import type { HostJson } from './hostJson.ts';
import type { InvocationRequest } from './invoke.ts';
import { pause } from './triggers/pause.ts';
import type { TriggerContext } from './triggers/bindTriggers.ts';

export interface RetryPolicy {
  /** -1 is without limit. */
  maxRetryCount: number;
  /** Milliseconds before a retry, counted from 1; `random` is between 0 and 1. */
  delay(retry: number, random: number): number;
}

/** Triggers with retry policies; the others ignore theirs, in Azure too. */
export const retriedTriggers: ReadonlySet<string> = new Set(['timertrigger', 'cosmosdbtrigger']);

// As @azure/functions 4.16.5 registers it: whole seconds, half a second and more rounded up.
const Duration = z
  .object({ seconds: z.number().nonnegative() }, 'is missing')
  .transform(({ seconds }) => seconds * 1000);
const maxRetryCount = z.int('must be a whole number, -1 for no limit').min(-1, 'must be -1 for no limit, or more');
const RetryOptions = z.discriminatedUnion(
  'retryStrategy',
  [
    z.looseObject({ retryStrategy: z.literal('fixedDelay'), maxRetryCount, delayInterval: Duration }),
    z
      .looseObject({
        retryStrategy: z.literal('exponentialBackoff'),
        maxRetryCount,
        minimumInterval: Duration,
        maximumInterval: Duration,
      })
      .refine(({ minimumInterval, maximumInterval }) => minimumInterval <= maximumInterval, {
        path: ['minimumInterval'],
        message: 'must not be longer than maximumInterval',
      }),
  ],
  'must be fixedDelay or exponentialBackoff',
);

/** The function's policy, or that of host.json; an error names the function. */
export function retryPolicyOf({ metadata }: RegisteredFunction, { retry }: HostJson): RetryPolicy | undefined {
  const given = metadata.retryOptions ?? undefined;
  if (given === undefined) {
    if (!retry) return undefined;
    return retry.strategy === 'fixedDelay'
      ? fixed(retry.maxRetryCount, retry.delayInterval)
      : growing(retry.maxRetryCount, retry.minimumInterval, retry.maximumInterval);
  }
  const { data, error } = RetryOptions.safeParse(given);
  if (!data) {
    const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'it'} ${message}`);
    throw new Error(`Function "${metadata.name}": its retry policy is not valid. ${problems.join('; ')}`);
  }
  return data.retryStrategy === 'fixedDelay'
    ? fixed(data.maxRetryCount, data.delayInterval)
    : growing(data.maxRetryCount, data.minimumInterval, data.maximumInterval);
}

const fixed = (maxRetryCount: number, interval: number): RetryPolicy => ({ maxRetryCount, delay: () => interval });

// The curve of RandomizedExponentialBackoffStrategy in https://github.com/Azure/azure-webjobs-sdk.
const growing = (maxRetryCount: number, minimum: number, maximum: number): RetryPolicy => ({
  maxRetryCount,
  delay: (retry, random) =>
    Math.min(retry < 2 ? minimum : Math.round(minimum * (1 + (0.8 + 0.4 * random) * 2 ** (retry - 2))), maximum),
});

/**
 * Invokes until it succeeds or the policy gives up; every failure is logged. `stopped`: the signal came between two
 * attempts, so that nobody may take the work for done.
 */
export async function invokeWithRetry(
  context: TriggerContext,
  registered: RegisteredFunction,
  request: InvocationRequest,
  { policy, trigger, signal }: { policy: RetryPolicy | undefined; trigger: string; signal: AbortSignal },
): Promise<'succeeded' | 'failed' | 'stopped'> {
  let exception: { message: string } | undefined;
  for (let retry = 0; ; retry++) {
    const { maxRetryCount } = policy ?? {};
    const retryContext = maxRetryCount !== undefined && {
      retryCount: retry,
      maxRetryCount,
      ...(exception && { exception }),
    };
    try {
      await context.invoker.invoke(registered, { ...request, ...(retryContext && { retryContext }) });
      return 'succeeded';
    } catch (error) {
      const isLast = !policy || retry === policy.maxRetryCount;
      const wait = isLast ? undefined : policy.delay(retry + 1, Math.random());
      context.log.failed(registered.metadata.name, trigger, error, wait === undefined ? {} : { retriedAfterMs: wait });
      if (wait === undefined) return 'failed';
      exception = { message: error instanceof Error ? error.message : String(error) };
      await pause(wait, signal, context.clock);
      if (signal.aborted) return 'stopped';
    }
  }
}
