// A workload's history as anybody reads it over HTTP, and what must hold of every one.
import { isDeepStrictEqual } from 'node:util';
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

/**
 * What decides where a workload stands, in order: all but its syncs, which come as time allows, and calls to Azure. What
 * becomes of its DNS records' time to live is decided beside that, and stands at the end.
 */
export const storyOf = ({ events }: History): string[] => {
  const told = events.filter(({ type }) => !/^landfall\.(sync|effect)\./.test(type));
  const isBeside = ({ type }: Told): boolean => type.startsWith('landfall.ttl.');
  return [...told.filter((event) => !isBeside(event)), ...told.filter(isBeside)].map(({ type, data }) => {
    const { phase, step } = data as { phase?: string; step?: string };
    return [type.replace('landfall.', ''), step ?? phase].filter(Boolean).join(' ');
  });
};

/** The story of a workload that committed at the first attempt, whatever was killed meanwhile. */
export const committedStory = (method: 'agent' | 'agentless'): string[] => [
  'workload.registered',
  'workload.phaseEntered preparing',
  ...(method === 'agent' ? ['step.started osAgent', 'step.completed osAgent'] : []),
  'step.started sourceOnboarding',
  'source.described',
  'step.completed sourceOnboarding',
  'step.started initialSync',
  'step.completed initialSync',
  'step.started deltaSyncs',
  'step.completed deltaSyncs',
  'workload.phaseEntered replicating',
  'step.started uat',
  'probe.completed',
  'isolation.noted',
  'isolation.judged',
  'workload.phaseEntered testing',
  'machine.launched',
  'probe.completed',
  'isolation.judged',
  'check.completed',
  'probe.completed',
  'isolation.judged',
  'workload.phaseEntered tested',
  'step.completed uat',
  'workload.phaseEntered cutoverQueued',
  'step.started stopServices',
  'source.described',
  'workload.phaseEntered stoppingServices',
  'downtime.began',
  'services.stopped',
  'source.described',
  'step.completed stopServices',
  'step.started finalDelta',
  'workload.phaseEntered finalSync',
  'workload.phaseEntered sourceOff',
  'step.completed finalDelta',
  'step.started postCutover',
  'workload.phaseEntered launching',
  'machine.launched',
  'workload.phaseEntered trafficMoved',
  'workload.wayBackChanged',
  'step.completed postCutover',
  'step.started finalValidation',
  'workload.phaseEntered validating',
  'check.completed',
  'validation.judged',
  'downtime.ended',
  'workload.phaseEntered committed',
  'workload.wayBackChanged',
  'decommission.scheduled',
  'step.completed finalValidation',
  'ttl.lowering',
  'ttl.lowered',
  'ttl.restored',
];

/** What is wrong with a history, whatever was killed while it was made. Empty: each event is there, once, and counted once. */
export function flawsOf(history: History): string[] {
  const { events, state } = history;
  const ids = events.map(({ id }) => id);
  const gaps = events.flatMap(({ id, version }, index) =>
    version === index + 1 ? [] : [`${id} is number ${index + 1} and says ${version}`],
  );
  const twice = ids.filter((id, index) => ids.indexOf(id) < index).map((id) => `${id} is there twice`);
  const isFold = isDeepStrictEqual(foldOf(history), asJson(state));
  return [
    ...gaps,
    ...twice,
    ...(isFold ? [] : ['the state is not the fold of the events']),
    ...changedTwice(history).map((found) => `one operation changed the state by ${found.join(' and ')}`),
    ...unfinishedSyncs(history),
  ];
}

/** How many events of appliances, which number them, have never come. */
export const missingFrom = ({ state }: History): number =>
  Object.values(state.heard).reduce((sum, { missing }) => sum + missing, 0);

/** Every sync that was sent to its appliance began once and ended once, unless it was withdrawn. */
function unfinishedSyncs({ events }: History): string[] {
  const told = (syncId: string, type: string) =>
    events.filter(({ type: is, data }) => is === type && 'syncId' in data && data.syncId === syncId).length;
  const sent = events.flatMap((event) => (event.type === 'landfall.sync.dispatched' ? [event.data.syncId] : []));
  return [...new Set(sent)].flatMap((syncId) => {
    const begun = told(syncId, 'landfall.sync.started');
    const ended = told(syncId, 'landfall.sync.completed') + told(syncId, 'landfall.sync.failed');
    const isFine = begun === 1 && ended === 1;
    return isFine || told(syncId, 'landfall.sync.withdrawn') > 0
      ? []
      : [`sync ${syncId} has begun ${begun} times and ended ${ended} times`];
  });
}

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
