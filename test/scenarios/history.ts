// A workload's history as anybody reads it over HTTP, and what must hold of every one.
import type { Api } from '../../examples/harness/api.ts';
import type { WorkloadEvent } from '../../shared/lifecycle/events.ts';
import { apply, fold } from '../../shared/lifecycle/fold.ts';
import type { WorkloadState } from '../../shared/lifecycle/state.ts';

type Told = WorkloadEvent & { version: number };

export interface History {
  /** The state that the API answers. */
  state: WorkloadState;
  /** The events up to that state, in the order in which the API answers them. */
  events: Told[];
}

/** State and events of one moment: the events may go on while they are read. */
export async function historyOf(api: Api, waveId: string, workloadId: string): Promise<History> {
  const { state } = await api.workload(waveId, workloadId);
  const { events } = await api.events(waveId, workloadId);
  return { state, events: events.filter(({ version }) => version <= state.version) };
}

/** The fold of the events, as JSON carries it. */
export const foldOf = ({ events }: History): unknown => asJson(fold(events.map(asEvent)));

/** The phases in the order in which they were entered. */
export const phasesOf = ({ events }: History): string[] =>
  events.flatMap((event) => (event.type === 'landfall.workload.phaseEntered' ? [event.data.phase] : []));

/** By operation id, type and attempt: the events that changed the state, where there is more than one of them. */
export function changedTwice({ events }: History): string[][] {
  const changes = new Map<string, string[]>();
  let before: WorkloadState | undefined;
  for (const told of events) {
    const event = asEvent(told);
    const applied = apply(before, event);
    if ('illegal' in applied) throw new Error(`${event.id}: ${applied.illegal}`);
    if (essence(applied.state) !== essence(before)) {
      const attempt = 'attempt' in event.data ? event.data.attempt : '';
      const key = `${event.operationId ?? event.id} ${event.type} ${attempt}`;
      changes.set(key, [...(changes.get(key) ?? []), event.id]);
    }
    before = applied.state;
  }
  return [...changes.values()].filter((ids) => ids.length > 1);
}

/** The state without what only says when something was last heard of, and how far a copy is. */
function essence(state: WorkloadState | undefined): string {
  if (state === undefined) return '';
  const { version: _version, updatedAt: _updatedAt, heard: _heard, sync, ...rest } = state;
  const { heardAt: _heardAt, progress: _progress, status, ...syncing } = sync;
  return JSON.stringify({ ...rest, sync: { ...syncing, status: status === 'stalled' ? 'running' : status } });
}

function asEvent({ version: _version, ...event }: Told): WorkloadEvent {
  return event as WorkloadEvent;
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
