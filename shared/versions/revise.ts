// A new version of a wave, in three acts: the old one is kept, the wave's document changes at once or not at all, then
// every workload gets its plan. Whoever finds the last act unfinished finishes it: nothing starts before.
import { terminal } from '../errors.ts';
import type { WavePlan } from '../model/plan.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type { Store } from '../store/contract.ts';
import type { Revision, WaveDocument } from '../store/documents.ts';
import { versionDocument, versionOf } from './version.ts';

export interface NextVersion {
  definition: WaveDefinition;
  plan: WavePlan;
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
    wave.revision?.settled !== false
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
  const { definition, plan, by, reason, at, move } = next;
  const version = versionOf(wave).version + 1;
  return {
    ...rest,
    definition,
    plan,
    groups: Object.fromEntries(plan.groups.map(({ id }) => [id, { status: 'planned', updatedAt: at }])),
    revision: { version, by, at, reason, settled: false, ...(move === undefined ? {} : { move }) },
  };
}

/** Gives every workload its plan of the version that the wave has; repeatable, and harmless if a newer one has come. */
export async function settle(store: Store, waveId: string): Promise<WaveDocument> {
  const wave = await store.waves.get(waveId);
  if (wave === undefined) throw terminal('notFound', `There is no wave "${waveId}".`, 'Check its name.');
  const { revision, plan } = wave;
  if (revision === undefined || revision.settled) return wave;
  const { version, by, at, reason, move } = revision;
  const common = { time: at, source: `user:${by}` };
  const registered = await store.workloads.list(waveId);
  for (const workload of plan.workloads) {
    const { workloadId, groupId, hash: planHash } = workload;
    const known = await store.workloads.get(waveId, workloadId);
    if (known === undefined) await store.workloads.register(workload, at, by, version);
    if (known === undefined || (known.state.planHash === planHash && known.state.phase !== 'unregistered')) continue;
    const data = { groupId, planHash, version, reason };
    const event = { ...common, id: `replanned.${version}`, type: 'landfall.workload.replanned' as const, data };
    await store.workloads.append(waveId, workloadId, [event], workload);
  }
  const planned = new Set(plan.workloads.map(({ workloadId }) => workloadId));
  for (const { workloadId } of registered.filter((each) => !planned.has(each.workloadId))) {
    const left = move?.workloadId === workloadId && move.from === waveId;
    const data = { version, reason, ...(left ? { movedTo: move.to } : {}) };
    const event = { ...common, id: `unregistered.${version}`, type: 'landfall.workload.unregistered' as const, data };
    await store.workloads.append(waveId, workloadId, [event]);
  }
  return store.waves.change(waveId, (current) =>
    current.revision?.version === version && !current.revision.settled
      ? { ...current, revision: { ...current.revision, settled: true } }
      : undefined,
  );
}
