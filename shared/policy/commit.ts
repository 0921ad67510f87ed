import type { WavePlan } from '../model/plan.ts';
import type { CommitPolicy } from '../model/settings.ts';

/** What the checks of one turn say together: one that failed outweighs one that stayed silent. */
export type Verdict = 'passed' | 'failed' | 'silent';

export function verdictOf(results: readonly { passed: boolean; silent?: boolean | undefined }[]): Verdict {
  if (results.some(({ passed, silent }) => !passed && silent !== true)) return 'failed';
  return results.some(({ silent }) => silent === true) ? 'silent' : 'passed';
}

/** What a group does once its targets have been validated. `wait` asks people. */
export function courseAfter(policy: CommitPolicy, verdict: Verdict): 'commit' | 'wait' | 'rollback' {
  return { passed: policy.onPassed, failed: policy.onFailed, silent: policy.onSilent }[verdict];
}

/** What it does when people did not decide in time. What has not passed never commits by itself: it holds. */
export function courseAfterTimeout({ onTimeout }: CommitPolicy, verdict: Verdict): 'commit' | 'hold' | 'rollback' {
  return onTimeout === 'commit' && verdict !== 'passed' ? 'hold' : onTimeout;
}

/** Whether a plan may lead a group back whose traffic has moved: by its commit policy, or because the commit is rejected. */
export function mayLeadBack({ commitPolicy, gates }: Pick<WavePlan, 'commitPolicy' | 'gates'>): boolean {
  const { onPassed, onFailed, onSilent, onTimeout } = commitPolicy;
  return gates.commit.required || [onPassed, onFailed, onSilent, onTimeout].includes('rollback');
}
