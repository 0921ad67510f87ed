import { type Head, link, placeOf } from '../journal/chain.ts';
import type { WorkloadEvent } from '../lifecycle/events.ts';
import { apply } from '../lifecycle/fold.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import type { Appended } from './contract.ts';
import type { EventDocument, WorkloadDocument } from './documents.ts';

/** Id of an event's document: its deduplication key within the workload. */
export const eventDocumentId = (eventId: string): string => `event.${eventId}`;

/** The document of an event that leads from one state to the next, linked to the chain. */
export function eventDocument(
  of: { waveId: string; workloadId: string },
  head: Head,
  event: WorkloadEvent,
  before: WorkloadState | undefined,
  after: WorkloadState,
): EventDocument {
  const moved =
    before === undefined || before.phase === after.phase ? {} : { moved: { before: before.phase, after: after.phase } };
  const content = { event, ...moved };
  const linked = link(head, content);
  const place = placeOf(of, linked.version, event);
  return { id: eventDocumentId(event.id), kind: 'event', ...of, ...linked, place, ...content };
}

/** Folds events into a workload, each once: the next document, the event documents to create, and what became of each event. */
export function foldBatch(
  workload: WorkloadDocument,
  events: readonly WorkloadEvent[],
  known: ReadonlySet<string>,
): { next: WorkloadDocument; created: EventDocument[]; outcome: Appended } {
  const { waveId, workloadId } = workload;
  const seen = new Set(known);
  const created: EventDocument[] = [];
  let { head } = workload;
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
    const written = eventDocument({ waveId, workloadId }, head, event, outcome.state, applied.state);
    head = { version: written.version, hash: written.hash };
    outcome.state = applied.state;
    outcome.applied.push(event);
    created.push(written);
  }
  return { next: { ...workload, state: outcome.state, head }, created, outcome };
}
