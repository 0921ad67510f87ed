import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { courseAfter, courseAfterTimeout, verdictOf } from '../../../shared/policy/commit.ts';

const verdicts = ['passed', 'failed', 'silent'] as const;
const reasons = { acceptDataLoss: 'a rehearsal', acceptUnproven: 'a rehearsal' };

it('one check that failed outweighs those that stayed silent, and one that stayed silent those that passed', () => {
  const result = fc.constantFrom(
    { passed: true, silent: false },
    { passed: false, silent: false },
    { passed: false, silent: true },
  );
  fc.assert(
    fc.property(fc.array(result), (results) => {
      const [failed, silent] = [
        results.some((each) => !each.passed && !each.silent),
        results.some((each) => each.silent),
      ];
      expect(verdictOf(results)).toBe(failed ? 'failed' : silent ? 'silent' : 'passed');
    }),
  );
});

it('each verdict has a course of its own', () => {
  const policy = CommitPolicy.parse({ onPassed: 'commit', onFailed: 'rollback', onSilent: 'wait', ...reasons });
  expect(verdicts.map((verdict) => courseAfter(policy, verdict))).toEqual(['commit', 'rollback', 'wait']);
});

it('what has not passed never commits because nobody decided', () => {
  const policy = CommitPolicy.parse({ onTimeout: 'commit' });
  expect(verdicts.map((verdict) => courseAfterTimeout(policy, verdict))).toEqual(['commit', 'hold', 'hold']);
  const back = CommitPolicy.parse({ onTimeout: 'rollback', ...reasons });
  expect(verdicts.map((verdict) => courseAfterTimeout(back, verdict))).toEqual(['rollback', 'rollback', 'rollback']);
});

it.each([
  [{ onSilent: 'rollback' }, 'acceptDataLoss'],
  [{ onFailed: 'commit' }, 'acceptUnproven'],
  [{ onSilent: 'commit', acceptDataLoss: 'a rehearsal' }, 'acceptUnproven'],
])('a policy of %o gives its reason in %s', (policy, field) => {
  expect(CommitPolicy.safeParse(policy).error?.issues.map(({ path }) => path)).toEqual([[field]]);
  expect(CommitPolicy.safeParse({ ...policy, ...reasons }).success).toBe(true);
});
