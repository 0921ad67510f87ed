import type { LongOperation, Progress } from '../shared/azure/contract.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { backOff } from '../shared/durable/waits.ts';
import { advanceOperation } from './azure/activities.ts';

const firstPollMs = 250;

/** A minute; once an operation has taken long, an eighth of that, at most five minutes. */
const longestPollMs = (waitedMs: number): number => Math.max(60_000, Math.min(300_000, waitedMs / 8));

/** Polls a long operation to its end, ever more rarely, so that an hour's import leaves few lines of history. */
export function* complete(ctx: Ctx, environmentId: string, begun: Progress): Flow<void> {
  let progress = begun;
  let waitedMs = 0;
  for (let poll = 0; !progress.done; poll++) {
    const operation: LongOperation = progress.operation;
    const askedMs = (progress.retryAfterSeconds ?? 0) * 1000;
    const pauseMs = Math.max(askedMs, Math.min(longestPollMs(waitedMs), firstPollMs * 2 ** poll));
    yield* backOff(ctx, pauseMs);
    waitedMs += pauseMs;
    progress = yield* advanceOperation.call(ctx, { environmentId, operation });
  }
}
