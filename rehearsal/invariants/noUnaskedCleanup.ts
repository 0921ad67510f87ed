// Invariant 4. Replicated data is deleted only long after a commit, when people have approved it. A target and its disks
// go only on a recorded way back, which somebody or a policy has decided. By expiry go only clones, and only once that is
// on record.
import type { AttentionDocument, ControlDocument, EntryDocument, GateDocument } from '../../shared/store/documents.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import { type Invariant, leadsBack, type Sight } from './invariant.ts';

export const noUnaskedCleanup: Invariant = {
  number: 4,
  says: 'no destructive clean-up on a failure path without a recorded decision',
  watch: (sight) => ({
    changed: ({ kind, id, what }, operationId = '') => {
      if (kind === 'blob') return what.startsWith('remove') ? unapprovedDeletion(sight, id) : [];
      if (kind !== 'resource' || !what.startsWith('delete')) return [];
      if (byExpiry.test(operationId)) return undecidedExpiry(sight, id);
      return sight.plansOf(kind, id).flatMap(({ waveId, workloadId, target, source }) => {
        const own = [
          `machine/${target.name}`,
          ...source.disks.map((disk) => `disk/${resourceNames.disk(target.name, disk.id)}`),
        ];
        if (!own.includes(id)) return [];
        const state = sight.documents.workload(waveId, workloadId)?.state;
        if ((state?.remembered ?? state?.phase) !== 'rollingBack')
          return [`${id} was deleted although ${workloadId} is ${state?.phase}, not on its way back`];
        return isDecided(sight, waveId) ? [] : [`${id} was deleted, and nobody decided so`];
      });
    },
  }),
};

/** Points go only after their workload's commit, when the plan's time is over and people have approved just that. */
function unapprovedDeletion({ documents, plansOf, now }: Sight, blob: string): string[] {
  const gates = documents.documents<GateDocument>('gate');
  const approved = plansOf('blob', blob).some(({ waveId, workloadId }) => {
    const { phase, decommission } = documents.workload(waveId, workloadId)?.state ?? {};
    return (
      phase === 'committed' &&
      (decommission?.dueAt ?? now()) < now() &&
      gates.some(
        (gate) => gate.waveId === waveId && gate.name === 'decommission' && gate.approved?.includes(workloadId),
      )
    );
  });
  return approved ? [] : [`replicated data was deleted: ${blob}`];
}

const byExpiry = /^(?:expire-|destroy-[^:]*-expired-)/;

function undecidedExpiry({ azure, documents }: Sight, id: string): string[] {
  const tags = azure.resources.get(id)?.tags ?? {};
  const decided = documents
    .documents<EntryDocument>('entry')
    .some(({ waveId, entry }) => waveId === tags['landfall:wave'] && entry.type === 'landfall.clones.expired');
  return [
    ...(tags['landfall:purpose'] === 'test' ? [] : [`${id} was deleted by expiry, and is no clone`]),
    ...(decided ? [] : [`${id} was deleted by expiry, and nothing on record has decided so`]),
  ];
}

/** Whether somebody, or a policy that was approved with the plan, has decided that something of the wave goes back. */
function isDecided({ documents }: Sight, waveId: string): boolean {
  const of = <T extends { waveId: string }>(found: T[]): T[] => found.filter((each) => each.waveId === waveId);
  const { commitPolicy, onOverrun, groups } = documents.wave(waveId).plan;
  return (
    of(documents.documents<ControlDocument>('control')).some(({ signal }) => leadsBack.has(signal.action)) ||
    of(documents.documents<AttentionDocument>('attention')).some(
      ({ answer }) => answer !== undefined && leadsBack.has(answer.choice),
    ) ||
    of(documents.documents<GateDocument>('gate')).some(({ status }) => status === 'rejected' || status === 'expired') ||
    Object.values(commitPolicy).includes('rollback') ||
    onOverrun === 'rollBack' ||
    groups.some(({ onFailure }) => onFailure === 'rollBack' || onFailure === 'goOn')
  );
}
