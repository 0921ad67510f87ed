// Which events wake an orchestrator, and which one. An operation id is `{instance id}:{what}`, so the address is in the
// event itself; progress never wakes anybody.
import type { WorkloadEvent } from './events.ts';

const waking: ReadonlySet<WorkloadEvent['type']> = new Set<WorkloadEvent['type']>([
  'landfall.source.described',
  'landfall.sync.completed',
  'landfall.sync.failed',
  'landfall.services.stopped',
  'landfall.services.started',
  'landfall.services.failed',
  'landfall.check.completed',
  'landfall.probe.completed',
  'landfall.worker.verified',
  'landfall.agent.installed',
  'landfall.agent.removed',
  'landfall.agent.failed',
  'landfall.command.failed',
  'landfall.sync.withdrawn',
]);

export interface Milestone {
  instanceId: string;
  /** The external event's name: the whole operation id. */
  name: string;
  data: { type: string; data: unknown };
}

/** The milestone that an event is, if it is one. */
export function milestoneOf(event: Pick<WorkloadEvent, 'type' | 'operationId' | 'data'>): Milestone | undefined {
  if (event.operationId === undefined || !waking.has(event.type)) return undefined;
  const separator = event.operationId.indexOf(':');
  if (separator <= 0) return undefined;
  return {
    instanceId: event.operationId.slice(0, separator),
    name: event.operationId,
    data: { type: event.type, data: event.data },
  };
}
