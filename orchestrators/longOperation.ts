import type { LongOperation, Progress } from '../shared/azure/contract.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { backOff } from '../shared/durable/waits.ts';
import { advanceOperation } from './azure/activities.ts';

const firstPollMs = 250;
const longestPollMs = 60_000;

/** Polls a long operation to its end, ever more rarely, so that an hour's import leaves few lines of history. */
export function* complete(ctx: Ctx, environmentId: string, begun: Progress): Flow<void> {
  let progress = begun;
  for (let poll = 0; !progress.done; poll++) {
    const operation: LongOperation = progress.operation;
    const askedMs = (progress.retryAfterSeconds ?? 0) * 1000;
    yield* backOff(ctx, Math.max(askedMs, Math.min(longestPollMs, firstPollMs * 2 ** poll)));
    progress = yield* advanceOperation.call(ctx, { environmentId, operation });
  }
}
