// Invariant 9. From the moment that traffic moves the target may have taken in writes: to cut it off or delete it is a
// loss that an approver has accepted, with a reason, or the commit policy, which is approved with the plan.
import type { AttentionDocument, ControlDocument, EventDocument, GateDocument } from '../../shared/store/documents.ts';
import { approvers } from '../world/persons.ts';
import { type Invariant, leadsBack, type Sight } from './invariant.ts';

export const noUnacceptedLoss: Invariant = {
  number: 9,
  says: 'after traffic has moved, rollback needs the loss accepted by an approver with a reason; before, the target is quarantined',
  watch: (sight) => {
    const moved = new Set<string>();
    /** Whose word it is that they go back, as their journal says. */
    const back = new Map<string, string>();
    return {
      written: (document) => {
        if (document.kind !== 'event') return [];
        const { waveId, workloadId, event } = document as unknown as EventDocument;
        if (event.type !== 'landfall.workload.phaseEntered') return [];
        const { phase, reason } = event.data;
        const who = `${waveId}/${workloadId}`;
        if (phase === 'trafficMoved') moved.add(who);
        if (phase === 'replicating' || phase === 'withdrawn') moved.delete(who);
        if (phase === 'rollingBack') back.set(who, reason);
        return [];
      },
      changed: ({ kind, id, what }) => {
        if (kind !== 'resource') return [];
        return sight.plansOf(kind, id).flatMap(({ waveId, workloadId, target, settings }) => {
          if (id !== `machine/${target.name}`) return [];
          const group = sight.azure.machine(target.name)?.securityGroupId;
          const isQuarantined = group === settings.placement.quarantineNetworkSecurityGroupId;
          const who = `${waveId}/${workloadId}`;
          const isMoved = moved.has(who);
          const goes = what.startsWith('delete') || what.includes(' behind ');
          if (what.startsWith('create') && !isQuarantined && !isMoved)
            return [`${target.name} was made outside its quarantine`];
          if (!goes || !isMoved || (what.includes(' behind ') && !isQuarantined)) return [];
          return isAccepted(sight, waveId, back.get(who))
            ? []
            : [`${what}: its traffic had moved, and nobody accepted the loss`];
        });
      },
    };
  },
};

/** By people since the wave was started, or by the plan: a commit policy that rolls back says why the loss is acceptable. */
function isAccepted({ documents }: Sight, waveId: string, back = ''): boolean {
  const { plan, startedAt = '' } = documents.wave(waveId);
  const of = <T extends { waveId: string }>(found: T[]): T[] => found.filter((each) => each.waveId === waveId);
  const said = (by: string, reason: string): boolean => approvers.has(by) && reason !== '';
  return (
    (back.startsWith('rollback by commit policy') && Object.values(plan.commitPolicy).includes('rollback')) ||
    of(documents.documents<ControlDocument>('control')).some(
      ({ signal, at }) =>
        at >= startedAt &&
        'acceptDataLoss' in signal &&
        signal.acceptDataLoss === true &&
        said(signal.by, signal.reason),
    ) ||
    of(documents.documents<GateDocument>('gate')).some(({ decisions }) =>
      decisions.some(
        ({ decision, acceptDataLoss, by, comment, at }) =>
          at >= startedAt && decision === 'reject' && acceptDataLoss === true && said(by, comment),
      ),
    ) ||
    of(documents.documents<AttentionDocument>('attention')).some(
      ({ answer }) =>
        answer !== undefined &&
        answer.at >= startedAt &&
        leadsBack.has(answer.choice) &&
        said(answer.by, answer.reason),
    )
  );
}
