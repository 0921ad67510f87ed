// Invariant 9. From the moment that traffic moves the target may have taken in writes: to cut it off or delete it is a
// loss that an approver has accepted, with a reason, or the commit policy, which is approved with the plan.
import type { AttentionDocument, ControlDocument, EventDocument, GateDocument } from '../../shared/store/documents.ts';
import { approvers } from '../world/persons.ts';
import type { Invariant, Sight } from './invariant.ts';

export const noUnacceptedLoss: Invariant = {
  number: 9,
  says: 'after traffic has moved, rollback needs the loss accepted by an approver with a reason; before, the target is quarantined',
  watch: (sight) => {
    const moved = new Set<string>();
    return {
      written: (document) => {
        if (document.kind !== 'event') return [];
        const { waveId, workloadId, event } = document as unknown as EventDocument;
        if (event.type !== 'landfall.workload.phaseEntered') return [];
        const { phase } = event.data;
        if (phase === 'trafficMoved') moved.add(`${waveId}/${workloadId}`);
        if (phase === 'replicating' || phase === 'withdrawn') moved.delete(`${waveId}/${workloadId}`);
        return [];
      },
      changed: ({ kind, id, what }) => {
        if (kind !== 'resource') return [];
        return sight.plansOf(kind, id).flatMap(({ waveId, workloadId, target, settings }) => {
          if (id !== `machine/${target.name}`) return [];
          const group = sight.azure.machine(target.name)?.securityGroupId;
          const isQuarantined = group === settings.placement.quarantineNetworkSecurityGroupId;
          const isMoved = moved.has(`${waveId}/${workloadId}`);
          const goes = what.startsWith('delete') || what.includes(' behind ');
          if (what.startsWith('create') && !isQuarantined && !isMoved)
            return [`${target.name} was made outside its quarantine`];
          if (!goes || !isMoved || (what.includes(' behind ') && !isQuarantined)) return [];
          return isAccepted(sight, waveId) ? [] : [`${what}: its traffic had moved, and nobody accepted the loss`];
        });
      },
    };
  },
};

function isAccepted({ documents }: Sight, waveId: string): boolean {
  const of = <T extends { waveId: string }>(found: T[]): T[] => found.filter((each) => each.waveId === waveId);
  const said = (by: string, reason: string): boolean => approvers.has(by) && reason !== '';
  return (
    documents.wave(waveId).plan.commitPolicy.acceptDataLoss !== undefined ||
    of(documents.documents<ControlDocument>('control')).some(
      ({ signal }) => 'acceptDataLoss' in signal && signal.acceptDataLoss === true && said(signal.by, signal.reason),
    ) ||
    of(documents.documents<GateDocument>('gate')).some(({ decisions }) =>
      decisions.some(
        ({ decision, acceptDataLoss, by, comment }) =>
          decision === 'reject' && acceptDataLoss === true && said(by, comment),
      ),
    ) ||
    of(documents.documents<AttentionDocument>('attention')).some(
      ({ answer }) => answer !== undefined && answer.choice !== 'retry' && said(answer.by, answer.reason),
    )
  );
}
