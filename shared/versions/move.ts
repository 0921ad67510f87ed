// A workload's move to another wave. Two documents change that no transaction joins, so the wave that it leaves says first
// where it goes: from then on that wave neither starts nor changes, and whoever finds it finishes the move. The wave that
// it comes to changes next; with that the workload has moved. If that wave was started or changed before, it notes that it
// refuses, so that nobody who comes late can move the workload after all.
import { terminal } from '../errors.ts';
import type { StoredPlan } from '../model/plan.ts';
import type { Store } from '../store/contract.ts';
import type { DraftDocument, Move, WaveDocument } from '../store/documents.ts';
import { isAsSeen, replanned, revised } from './revise.ts';
import { settle } from './settle.ts';
import { versionDocument, versionOf } from './version.ts';

const refusalsKept = 20;

const draftId = ({ id }: Move): string => `draft.${id}`;

/** Moves a workload between waves that were read as `seen`. Throws `conflict` if either has started or changed since. */
export async function moveBetween(
  store: Store,
  move: Move,
  seen: { from: WaveDocument; to: WaveDocument },
  next: { from: StoredPlan; to: StoredPlan },
): Promise<void> {
  for (const each of [next.from, next.to]) await store.waves.putDraft(draftOf(move, each));
  await store.waves.change(move.from, (wave) => {
    if (!isAsSeen(wave, seen.from)) throw overtaken(move.from);
    return { ...wave, moving: move };
  });
  if (!(await finish(store, move))) throw overtaken(move.to);
}

/** Finishes what a crash has left of changes to a wave; after that, the version that it has is what it runs. */
export async function finishChanges(store: Store, waveId: string): Promise<void> {
  const wave = await store.waves.get(waveId);
  const { moving, revision, settled } = wave ?? {};
  if (moving !== undefined) await finish(store, moving);
  if (settled === false && revision?.move !== undefined) await finish(store, revision.move);
  if (wave !== undefined) await settle(store, waveId);
}

/** Carries on with a move from wherever it stands; says whether the workload has moved. */
async function finish(store: Store, move: Move): Promise<boolean> {
  const moved = await arrive(store, move);
  if (moved) await leave(store, move);
  else await store.waves.change(move.from, ({ moving, ...wave }) => (moving?.id === move.id ? wave : undefined));
  if (moved) for (const waveId of [move.to, move.from]) await settle(store, waveId);
  for (const waveId of [move.from, move.to]) await store.waves.dropDraft(waveId, draftId(move));
  return moved;
}

/** The wave that it comes to gets its next version, or says once and for all that it does not take the workload. */
async function arrive(store: Store, move: Move): Promise<boolean> {
  const before = await store.waves.get(move.to);
  const draft = await store.waves.draft(move.to, draftId(move));
  const follower = await store.waves.version(move.to, move.toVersion + 1);
  if (before === undefined || follower?.move?.id === move.id) return before !== undefined;
  if (draft !== undefined && awaits(before, move)) await store.waves.keepVersion(versionDocument(before));
  const after = await store.waves.change(move.to, (wave) => {
    if (hasArrived(wave, move) || wave.refused?.includes(move.id)) return undefined;
    if (draft !== undefined && awaits(wave, move)) return replanned(wave, { ...move, ...draft, move });
    return { ...wave, refused: [...(wave.refused ?? []), move.id].slice(-refusalsKept) };
  });
  return hasArrived(after, move);
}

const hasArrived = ({ revision }: WaveDocument, { id }: Move): boolean => revision?.move?.id === id;

/** Whether a wave is still what a move to it was planned for. */
function awaits(wave: WaveDocument, { toVersion, toAttempt }: Move): boolean {
  const rests = wave.moving === undefined && wave.settled;
  return rests && versionOf(wave).version === toVersion && wave.attempt === toAttempt;
}

async function leave(store: Store, move: Move): Promise<void> {
  const before = await store.waves.get(move.from);
  const draft = await store.waves.draft(move.from, draftId(move));
  if (before?.moving?.id !== move.id || draft === undefined) return;
  await store.waves.keepVersion(versionDocument(before));
  await store.waves.change(move.from, (wave) =>
    wave.moving?.id === move.id ? revised(wave, { ...move, ...draft, move }) : undefined,
  );
}

function draftOf(move: Move, plan: StoredPlan): DraftDocument {
  return { id: draftId(move), kind: 'draft', waveId: plan.waveId, plan };
}

function overtaken(waveId: string): Error {
  return terminal(
    'conflict',
    `Wave ${waveId} was started or changed in the meantime.`,
    'Look at it again, then decide.',
  );
}
