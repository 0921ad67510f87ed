import type { GateDocument } from '../../shared/store/documents.ts';
import type { Invariant } from './invariant.ts';

export const approverIsNotRequester: Invariant = {
  number: 7,
  says: 'an approver is never the requester',
  watch: ({ documents }) => ({
    written: (document) => {
      if (document.kind !== 'gate') return [];
      const { id, waveId, requester, decisions, status, policy } = document as unknown as GateDocument;
      const asked = [requester, documents.wave(waveId).startedBy];
      const own = decisions.filter(
        ({ decision, by, onBehalfOf }) =>
          decision === 'approve' && (asked.includes(by) || asked.includes(onBehalfOf ?? '-')),
      );
      const people = new Set(decisions.filter(({ decision }) => decision === 'approve').map(({ by }) => by));
      const byPolicy = decisions.some((decision) => decision.byPolicy === true);
      return [
        ...own.map(({ by }) => `${by} approved ${id}, and had asked for it`),
        ...(status === 'approved' && !byPolicy && people.size < policy.quorum
          ? [`${id} was approved by ${people.size} of ${policy.quorum}`]
          : []),
      ];
    },
  }),
};
