// What the outside may hear of a wave: CloudEvents 1.0 to an Event Grid topic, if one is configured.
import { EventGridPublisherClient } from '@azure/eventgrid';
import type { TokenCredential } from '@azure/identity';
import type { Config } from '../../shared/config.ts';
import { toMigrationError } from '../../shared/errors.ts';
import type { WorkloadEvent } from '../../shared/lifecycle/events.ts';
import { milestoneOf } from '../../shared/lifecycle/milestones.ts';
import type { EventDocument } from '../../shared/store/documents.ts';

export interface Publisher {
  /** Publishes what is worth telling among changed documents. Throws only where another try may help. */
  publish(documents: readonly unknown[], log: (line: string) => void): Promise<void>;
}

const told: ReadonlySet<WorkloadEvent['type']> = new Set<WorkloadEvent['type']>([
  'landfall.workload.phaseEntered',
  'landfall.workload.attentionRaised',
  'landfall.step.completed',
  'landfall.sync.completed',
]);

export function createPublisher(
  config: Pick<Config, 'LANDFALL_EVENTGRID_ENDPOINT'>,
  credential: TokenCredential,
): Publisher {
  const endpoint = config.LANDFALL_EVENTGRID_ENDPOINT;
  if (endpoint === undefined) return { publish: async () => {} };
  const client = new EventGridPublisherClient(endpoint, 'CloudEvent', credential);
  return {
    async publish(documents, log) {
      const events = documents
        .filter(isEvent)
        .filter(({ event }) => told.has(event.type) || milestoneOf(event) !== undefined)
        .map(({ waveId, workloadId, event }) => ({
          id: event.id,
          source: `/landfall/waves/${waveId}/workloads/${workloadId}`,
          subject: `${waveId}/${workloadId}`,
          type: event.type,
          time: new Date(event.time),
          data: event.data,
        }));
      if (events.length === 0) return;
      try {
        for (const batch of inBatches(events)) await client.send(batch);
      } catch (error) {
        const failure = toMigrationError(error, 'publishing to Event Grid');
        log(failure.message);
        if (failure.failure.kind !== 'terminal') throw failure;
      }
    },
  };
}

function isEvent(document: unknown): document is EventDocument {
  return (document as { kind?: unknown } | null)?.kind === 'event';
}

/** Event Grid takes at most 1 MB a request; evidence may be long. https://learn.microsoft.com/azure/event-grid/quotas-limits */
const batchBytes = 512 * 1024;

function* inBatches<T>(events: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    if (batch.length > 0 && bytes + size > batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
