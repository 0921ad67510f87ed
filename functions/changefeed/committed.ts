// The only way out of the store: what has been committed is told to whoever waits for it. The feed repeats itself, so an
// event may be raised twice; whoever no longer waits does not mind.
import { controlEvent } from '../../shared/durable/flow.ts';
import { milestoneOf } from '../../shared/lifecycle/milestones.ts';
import { allInstancesOf } from '../../shared/policy/addressees.ts';
import type { Store } from '../../shared/store/contract.ts';
import type {
  AttentionDocument,
  ControlDocument,
  EventDocument,
  GateDocument,
  SignalDocument,
} from '../../shared/store/documents.ts';
import type { Orchestrations } from '../orchestrations.ts';

type Changed = EventDocument | GateDocument | AttentionDocument | ControlDocument | SignalDocument | { kind: 'other' };
type Plans = Pick<Store, 'waves' | 'plans'>;
interface Raised {
  instanceId: string;
  name: string;
  data: unknown;
}

/** Syncs that the timer asks for: nobody waits for them. */
const nobody = 'deltas';

/** What a changed document tells to orchestrations. */
export async function raisedBy(document: Changed, store: Plans): Promise<Raised[]> {
  switch (document.kind) {
    case 'event': {
      const milestone = milestoneOf(document.event);
      return milestone === undefined || milestone.instanceId === nobody ? [] : [milestone];
    }
    case 'gate': {
      const { status, decisions, approved, operationId } = document;
      if (status === 'open' || status === 'withdrawn') return [];
      return addressed(operationId, { type: 'landfall.gate.decided', data: { status, decisions, approved } });
    }
    case 'attention': {
      const { status, answer, operationId } = document;
      if (status !== 'answered' || answer === undefined) return [];
      return addressed(operationId, { type: 'landfall.attention.answered', data: answer });
    }
    case 'signal':
      return addressed(document.operationId, { type: document.type, data: document.data });
    case 'control': {
      const instanceIds = await addressees(document, store);
      return instanceIds.map((instanceId) => ({ instanceId, name: controlEvent, data: document.signal }));
    }
    default:
      return [];
  }
}

/** An order to a whole wave does not list whom it reaches: that would grow with the wave, and each of them reads it. */
async function addressees({ waveId, instanceIds }: ControlDocument, store: Plans): Promise<readonly string[]> {
  if (Array.isArray(instanceIds)) return instanceIds;
  const wave = await store.waves.get(waveId);
  if (wave === undefined) return [];
  return allInstancesOf({ waveId, attempt: instanceIds.allOfAttempt }, await store.plans.groups(wave.plan));
}

function addressed(operationId: string, data: { type: string; data: unknown }): Raised[] {
  const separator = operationId.indexOf(':');
  return separator <= 0 ? [] : [{ instanceId: operationId.slice(0, separator), name: operationId, data }];
}

const raisedAtOnce = 8;

/** Carries one batch of changes out of the store. Throws if any could not be delivered: then the batch comes again. */
export async function committed(
  documents: readonly unknown[],
  orchestrations: Pick<Orchestrations, 'raise'>,
  store: Plans,
): Promise<void> {
  const changed = documents.filter(hasKind);
  const raised = (await Promise.all(changed.map((document) => raisedBy(document, store)))).flat();
  for (let from = 0; from < raised.length; from += raisedAtOnce)
    await Promise.all(
      raised
        .slice(from, from + raisedAtOnce)
        .map(({ instanceId, name, data }) => orchestrations.raise(instanceId, name, data)),
    );
}

function hasKind(document: unknown): document is Changed {
  return document !== null && typeof document === 'object' && typeof (document as { kind?: unknown }).kind === 'string';
}
