// Who may still walk back, and what it may cost.
import { Phase, targetMayHaveWrites } from '../../shared/lifecycle/phases.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';

/**
 * Throws unless the person may roll these workloads back. Free until traffic has moved; from then on it takes an
 * approver who accepts the loss of what the target has taken in; after the commit nobody may.
 */
export function checkRollback(workloads: readonly WorkloadDocument[], person: Person, acceptDataLoss: boolean): void {
  const phaseOf = ({ state }: WorkloadDocument) => state.remembered ?? state.phase;
  const committed = workloads
    .filter((workload) => phaseOf(workload) === Phase.committed)
    .map(({ workloadId }) => workloadId);
  if (committed.length > 0)
    throw refuse(
      'conflict',
      `${committed.join(', ')} committed: only failing forward is offered. Name a group that has not committed to roll that back.`,
    );
  const moved = workloads
    .filter((workload) => targetMayHaveWrites.has(phaseOf(workload)))
    .map(({ workloadId }) => workloadId);
  if (moved.length > 0 && !acceptDataLoss)
    throw refuse(
      'conflict',
      `Traffic has moved to ${moved.join(', ')}: what it has accepted since would be lost. An approver may say so with "acceptDataLoss": true and a reason.`,
    );
  // Also before traffic has moved: it may move before the order arrives.
  if (acceptDataLoss && !person.roles.includes('approver'))
    throw refuse(
      'forbidden',
      'Accepting the loss of data needs the role approver. Until traffic has moved, leave "acceptDataLoss" out.',
    );
  if (moved.length === 0 && !person.roles.includes('operator'))
    throw refuse('forbidden', 'This needs the role operator.');
}
