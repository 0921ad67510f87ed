import type { WorkloadEvent } from '../lifecycle/events.ts';
import { apply } from '../lifecycle/fold.ts';
import type { Appended } from './contract.ts';
import type { EventDocument, WorkloadDocument } from './documents.ts';

/** Id of an event's document: its deduplication key within the workload. */
export const eventDocumentId = (eventId: string): string => `event.${eventId}`;

/** Folds events into a workload, each once: the next document, the event documents to create, and what became of each event. */
export function foldBatch(
  workload: WorkloadDocument,
  events: readonly WorkloadEvent[],
  known: ReadonlySet<string>,
): { next: WorkloadDocument; created: EventDocument[]; outcome: Appended } {
  const { waveId, workloadId } = workload;
  const seen = new Set(known);
  const created: EventDocument[] = [];
  const outcome: Appended = { applied: [], duplicates: [], illegal: [], state: workload.state };
  for (const event of events) {
    if (seen.has(event.id)) {
      outcome.duplicates.push(event.id);
      continue;
    }
    const applied = apply(outcome.state, event);
    if ('illegal' in applied) {
      outcome.illegal.push({ event, reason: applied.illegal });
      continue;
    }
    seen.add(event.id);
    outcome.state = applied.state;
    outcome.applied.push(event);
    created.push({
      id: eventDocumentId(event.id),
      kind: 'event',
      waveId,
      workloadId,
      version: applied.state.version,
      event,
    });
  }
  return { next: { ...workload, state: outcome.state }, created, outcome };
}
