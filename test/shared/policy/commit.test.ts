import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Gates } from '../../../shared/model/gate.ts';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { courseAfter, courseAfterTimeout, mayLeadBack, verdictOf } from '../../../shared/policy/commit.ts';

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

it('a plan may lead back after traffic has moved by its policy, or where the commit may be rejected', () => {
  const gated = (required: boolean) => Gates.parse({ commit: { required } });
  const plans = [
    [{ onPassed: 'commit' }, false, false],
    [{ onPassed: 'commit' }, true, true],
    [{ onPassed: 'rollback' }, false, true],
    [{ onPassed: 'commit', onFailed: 'rollback' }, false, true],
    [{ onPassed: 'commit', timeout: 'PT1H', onTimeout: 'rollback' }, false, true],
  ] as const;
  for (const [policy, required, may] of plans) {
    const commitPolicy = CommitPolicy.parse({ ...policy, ...reasons });
    expect(mayLeadBack({ commitPolicy, gates: gated(required) })).toBe(may);
  }
});
