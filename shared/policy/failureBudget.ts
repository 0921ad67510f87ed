// How many workloads of a wave may fail before somebody has to look at the whole.
import type { FailureBudget } from '../model/failurePolicy.ts';

/** Why the budget is spent, with the counts; nothing, while it is not. A share is of all workloads, rounded down. */
export function spent(budget: FailureBudget, workloads: number, failed: readonly string[]): string | undefined {
  const allowed = 'workloads' in budget ? budget.workloads : Math.floor((workloads * budget.percent) / 100);
  if (failed.length <= allowed) return undefined;
  const share = 'percent' in budget ? ` (${budget.percent} %)` : '';
  return `${failed.length} of ${workloads} workloads failed (${failed.join(', ')}), and the budget is ${allowed}${share}`;
}
