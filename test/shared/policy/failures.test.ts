import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spent } from '../../../shared/policy/failureBudget.ts';
import { type Member, whyTheyMustStay } from '../../../shared/policy/membership.ts';

describe('a failure budget', () => {
  it('is spent once more workloads have failed than it allows, and says which', () => {
    expect(spent({ workloads: 1 }, 10, ['db'])).toBeUndefined();
    expect(spent({ workloads: 1 }, 10, ['db', 'web'])).toBe('2 of 10 workloads failed (db, web), and the budget is 1');
    expect(spent({ workloads: 0 }, 10, ['db'])).toBeDefined();
    expect(spent({ workloads: 0 }, 10, [])).toBeUndefined();
  });

  it('as a share is never larger than the share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 100 }), (workloads, percent) => {
        const failed = Array.from({ length: workloads }, (_, index) => `w${index}`);
        const allowed =
          failed.findLastIndex((_, index) => spent({ percent }, workloads, failed.slice(0, index + 1)) === undefined) +
          1;
        expect(allowed).toBeLessThanOrEqual((workloads * percent) / 100);
        expect(allowed).toBeGreaterThan((workloads * percent) / 100 - 1);
      }),
    );
  });
});

describe('a workload', () => {
  const member = (workloadId: string, dependsOn: string[] = [], left = false): Member => ({
    workloadId,
    dependsOn,
    left,
  });
  const group = [member('db'), member('app', ['db']), member('web', ['app'])];

  it('may leave its group if somebody is left and nobody left depends on it', () => {
    expect(whyTheyMustStay(group, ['web'])).toBeUndefined();
    expect(whyTheyMustStay(group, ['app', 'web'])).toBeUndefined();
    expect(whyTheyMustStay(group, ['db'])).toBe('app would stay and depends on db');
    expect(whyTheyMustStay(group, ['db', 'app', 'web'])).toBe('nobody would be left in the group');
  });

  it('does not count those who have left before', () => {
    const without = [member('db'), member('app', ['db'], true), member('web', ['app'], true)];
    expect(whyTheyMustStay(without, ['db'])).toBe('nobody would be left in the group');
    expect(whyTheyMustStay([...without, member('log')], ['db'])).toBeUndefined();
  });
});
