import type { CommitPolicy } from '../model/settings.ts';
import { durationMs, plusMs } from './duration.ts';

/** What a group does once its targets have been validated. `wait` asks people, `hold` stays where it is. */
export type CommitDecision = 'commit' | 'rollback' | 'wait' | 'hold';

export function commitDecision(policy: CommitPolicy, outcome: 'passed' | 'failed' | 'timedOut'): CommitDecision {
  if (outcome === 'passed') return policy.onPassed;
  return outcome === 'failed' ? policy.onFailed : policy.onTimeout;
}

/** Until when people are waited for. */
export function commitDeadline(policy: CommitPolicy, since: string): string {
  return plusMs(since, durationMs(policy.timeout));
}
