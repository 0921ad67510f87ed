// Invariant 8. The step with which a cutover begins is the stop of the services; without services, the final sync. What
// was begun in time may end later: what happens then is the policy's matter.
import type { EventDocument } from '../../shared/store/documents.ts';
import type { Invariant, Sight } from './invariant.ts';

export const noLateStart: Invariant = {
  number: 8,
  says: 'no irreversible step starts after the latest safe start',
  watch: (sight) => ({
    written: (document) => {
      if (document.kind !== 'event') return [];
      const { waveId, workloadId, event } = document as unknown as EventDocument;
      // Downtime begins when an attempt of step 9 goes ahead.
      return event.type === 'landfall.downtime.began' ? late(sight, waveId, workloadId, event.data.at) : [];
    },
  }),
};

function late({ documents }: Sight, waveId: string, workloadId: string, at: string): string[] {
  const { windows } = documents.wave(waveId).plan;
  const open = windows.find(
    ({ opens, closes }) => Date.parse(opens) <= Date.parse(at) && Date.parse(at) < Date.parse(closes),
  );
  return open === undefined ? [`the cutover of ${workloadId} began at ${at}, outside every window`] : [];
}
