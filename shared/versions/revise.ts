// A new version of a wave, in three acts: the old one is kept, the wave's document changes at once or not at all, then
// every workload gets its plan. Whoever finds the last act unfinished finishes it: nothing starts before.
import { terminal } from '../errors.ts';
import type { StoredPlan } from '../model/plan.ts';
import type { Store } from '../store/contract.ts';
import type { Revision, WaveDocument } from '../store/documents.ts';
import { plannedGroups } from './post.ts';
import { settle } from './settle.ts';
import { versionDocument, versionOf } from './version.ts';

export interface NextVersion {
  plan: StoredPlan;
  by: string;
  reason: string;
  at: string;
}

/** Makes the next version of a wave that was read as `seen`. Throws `conflict` if it has changed or started since. */
export async function revise(store: Store, seen: WaveDocument, next: NextVersion): Promise<WaveDocument> {
  const { waveId } = seen;
  await store.waves.keepVersion(versionDocument(seen));
  await store.waves.change(waveId, (wave) => {
    if (!isAsSeen(wave, seen))
      throw terminal(
        'conflict',
        `Wave ${waveId} was started or changed in the meantime.`,
        'Look at it again, then decide.',
      );
    return replanned(wave, next);
  });
  return settle(store, waveId);
}

/** Whether nobody has started, ended or changed a wave since it was read. */
export function isAsSeen(wave: WaveDocument, seen: WaveDocument): boolean {
  return (
    versionOf(wave).version === versionOf(seen).version &&
    wave.attempt === seen.attempt &&
    wave.status === seen.status &&
    wave.moving === undefined &&
    wave.settled
  );
}

/** The document of a wave with its next version, whose workloads have not got their plans yet; it may be started. */
export function replanned(wave: WaveDocument, next: NextVersion & Pick<Revision, 'move'>): WaveDocument {
  const { reason: _reason, endedAt: _endedAt, ...rest } = revised(wave, next);
  return { ...rest, status: 'planned' };
}

/** The same of a wave that stays as planned or as ended as it is. */
export function revised(wave: WaveDocument, next: NextVersion & Pick<Revision, 'move'>): WaveDocument {
  const { moving: _moving, ...rest } = wave;
  const { plan, by, reason, at, move } = next;
  const version = versionOf(wave).version + 1;
  return {
    ...rest,
    plan,
    settled: false,
    groups: plannedGroups(plan, at),
    revision: { version, by, at, reason, ...(move === undefined ? {} : { move }) },
  };
}
