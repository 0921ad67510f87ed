// The chains that make a journal tamper-evident. Every entry carries the hash of what came before it, its own place and
// its own content; the head stands beside the state that the entries are folded into.
import { hashOf } from '../hash.ts';

/** Where a chain ends: how many entries it has, and the hash of the last one. */
export interface Head {
  version: number;
  hash: string;
}

/** Whose journal it is: a workload's, or the wave's own. */
export interface JournalOf {
  waveId: string;
  workloadId?: string | undefined;
}

/** The head of an empty chain. No two journals begin alike, so no entry fits into another one's. */
export function emptyChain({ waveId, workloadId }: JournalOf): Head {
  return { version: 0, hash: hashOf({ journal: workloadId === undefined ? { waveId } : { waveId, workloadId } }) };
}

/** The head after one more entry. `content` is what is stored of it, whatever JSON makes of it. */
export function link(head: Head, content: unknown): Head {
  const version = head.version + 1;
  return { version, hash: hashOf({ previous: head.hash, version, content }) };
}

/** An entry's place among those of all journals of a wave: by the platform's time, then journal, then version; it sorts as text. */
export function placeOf(
  { workloadId = '' }: JournalOf,
  version: number,
  { time, receivedAt }: { time: string; receivedAt?: string | undefined },
): string {
  return `${receivedAt ?? time} ${workloadId} ${String(version).padStart(9, '0')}`;
}
