// What activities tell about a workload: what they changed outside Landfall, and that they wait for another try.
import { z } from 'zod';
import { Failure } from '../errors.ts';
import { Instant } from '../model/ids.ts';
import type { WorkloadState } from './state.ts';

/** One change outside Landfall, with what was there before and after where that is known. */
export const EffectChange = z.strictObject({
  verb: z.string(),
  object: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

const called = {
  activity: z.string(),
  /** What the activity changes, in words; absent when it only looks. */
  effect: z.string().optional(),
  attempt: z.int().positive(),
};

export const effectEventData = {
  /** It is done: once for each call. No change: the world was so already. */
  'landfall.effect.applied': z.strictObject({ ...called, changes: z.array(EffectChange) }),
  /** It failed for good, perhaps after some changes. */
  'landfall.effect.failed': z.strictObject({ ...called, changes: z.array(EffectChange), failure: Failure }),
  /** It failed in passing and is tried again. */
  'landfall.effect.retried': z.strictObject({ ...called, failure: Failure, nextAt: Instant }),
} as const;

/** What a workload waits for: a call that failed in passing and is tried again. */
export interface Waiting {
  activity: string;
  effect?: string | undefined;
  code: string;
  message: string;
  suggestion: string;
  /** The try that failed last. */
  attempt: number;
  since: string;
  nextAt: string;
}

type EffectEvent = {
  [T in keyof typeof effectEventData]: {
    type: T;
    time: string;
    operationId?: string | undefined;
    data: z.infer<(typeof effectEventData)[T]>;
  };
}[keyof typeof effectEventData];

/** The calls that a workload waits for after one more entry: by operation id, none when there is none left. */
export function waitingAfter(waiting: WorkloadState['waiting'], event: EffectEvent): WorkloadState['waiting'] {
  const { operationId = '' } = event;
  if (event.type !== 'landfall.effect.retried') {
    const left = Object.entries(waiting ?? {}).filter(([id]) => id !== operationId);
    return left.length === 0 ? undefined : Object.fromEntries(left);
  }
  const { activity, effect, attempt, failure, nextAt } = event.data;
  const { code, message, suggestion } = failure;
  const since = waiting?.[operationId]?.since ?? event.time;
  return { ...waiting, [operationId]: { activity, effect, code, message, suggestion, attempt, since, nextAt } };
}
