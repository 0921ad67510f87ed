// How calls of activities come into the journal: into the workload's, or into the wave's own where the call belongs to
// no single workload. The entry has the call's operation id, so that a call that runs twice is told once.
import type { z } from 'zod';
import type { EffectChange, effectEventData } from '../lifecycle/effects.ts';
import type { PlatformEvent } from '../lifecycle/events.ts';
import type { Store } from '../store/contract.ts';

/** One change, and the workload that it belongs to where the call is about several. */
export type Change = z.infer<typeof EffectChange> & { workloadId?: string };

/** Whom a call is about. No workload: the wave. */
export interface About {
  waveId: string;
  workloadIds: readonly string[];
}

type EffectType = keyof typeof effectEventData;

/** An entry about a call. Changes may name their workload: then each gets its own. */
export interface CallEntry<T extends EffectType = EffectType> {
  operationId: string;
  time: string;
  type: T;
  data: Omit<z.infer<(typeof effectEventData)[T]>, 'changes'>;
  changes?: readonly Change[];
}

/** Appends what is to be told about a call, once for each journal that it belongs to. */
export async function tellCall(store: Store, about: About, entry: CallEntry): Promise<void> {
  const { changes } = entry;
  const named = [...new Set(changes?.flatMap(({ workloadId }) => (workloadId === undefined ? [] : [workloadId])))];
  for (const workloadId of new Set([...about.workloadIds, ...named])) {
    const shared = about.workloadIds.includes(workloadId);
    const own = changes?.filter((change) => (change.workloadId ?? (shared ? workloadId : undefined)) === workloadId);
    await store.workloads.append(about.waveId, workloadId, [eventOf(entry, own) as PlatformEvent]);
  }
  const ofNobody = changes?.filter(({ workloadId }) => workloadId === undefined);
  if (about.workloadIds.length > 0 || (named.length > 0 && ofNobody?.length === 0)) return;
  await store.journal.append(about.waveId, [eventOf(entry, ofNobody)]);
}

function eventOf({ operationId, time, type, data }: CallEntry, changes: readonly Change[] | undefined) {
  const told = changes?.map(({ workloadId: _whose, ...change }) => change);
  const attempt = type === 'landfall.effect.retried' ? `.${data.attempt}` : '';
  return {
    id: `${operationId}.${type.slice('landfall.effect.'.length)}${attempt}`,
    time,
    source: 'platform',
    operationId,
    type,
    data: { ...data, ...(told === undefined ? {} : { changes: told }) },
  };
}
