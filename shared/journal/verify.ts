// Whether a journal is what was written: every link recomputed, the head compared, the state folded again. Pure; whoever
// reads the documents hands them over in pages.
import { hashOf } from '../hash.ts';
import type { WorkloadEvent } from '../lifecycle/events.ts';
import { apply } from '../lifecycle/fold.ts';
import type { Phase } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import { emptyChain, type Head, type JournalOf, link } from './chain.ts';
import type { Misfit } from './misfit.ts';

/** An entry as it is stored: its link, and what the link covers. */
export interface Linked extends Head {
  id: string;
  content: unknown;
}

/** Follows one chain, page by page, and keeps the first misfit. */
export class ChainCheck {
  readonly workloadId: string | undefined;
  /** Recomputed so far. */
  head: Head;
  misfit: Misfit | undefined;

  constructor(of: JournalOf) {
    this.workloadId = of.workloadId;
    this.head = emptyChain(of);
  }

  /** Takes in one more entry; false when the chain is broken and nothing after it counts. */
  add({ id, version, hash, content }: Linked): boolean {
    if (this.misfit !== undefined) return false;
    const next = link(this.head, content);
    const found = { version: next.version, entryId: id };
    if (version > next.version)
      return this.#broken({
        ...found,
        code: 'missing',
        reason: `entry ${next.version} is missing: ${version} follows`,
      });
    if (version < next.version)
      return this.#broken({ ...found, code: 'doubled', reason: `a second entry claims place ${version}` });
    if (hash !== next.hash)
      return this.#broken({
        ...found,
        code: 'altered',
        reason: 'its hash does not follow from its content, its place and the entry before: one of them was altered',
      });
    this.head = next;
    return true;
  }

  /** The end of the entries: is it the head that is stored? */
  end(stored: Head | undefined): void {
    const { version, hash } = this.head;
    if (stored === undefined) {
      if (version > 0) this.fail({ code: 'headForged', reason: 'the document of the head is gone' });
    } else if (stored.version > version)
      this.fail({
        code: 'truncated',
        version: version + 1,
        reason: `the journal ends at ${version}, its head says ${stored.version}: the last entries are gone`,
      });
    else if (stored.version < version)
      this.fail({ code: 'behindHead', version: stored.version + 1, reason: 'the head does not know this entry' });
    else if (stored.hash !== hash)
      this.fail({ code: 'headForged', version, reason: 'the head has another hash than the last entry' });
  }

  /** Records what is wrong, if nothing is yet. */
  fail(misfit: Omit<Misfit, 'workloadId'>): void {
    if (this.misfit === undefined) this.#broken(misfit);
  }

  #broken(misfit: Omit<Misfit, 'workloadId'>): false {
    this.misfit = this.workloadId === undefined ? misfit : { workloadId: this.workloadId, ...misfit };
    return false;
  }
}

/** A workload's chain, and the state that its events fold into. */
export class WorkloadCheck extends ChainCheck {
  state: WorkloadState | undefined;

  /** Takes in one more event. */
  addEvent(document: Head & { id: string; event: WorkloadEvent; moved?: { before: Phase; after: Phase } | undefined }) {
    const { id, version, hash, event, moved } = document;
    const content = moved === undefined ? { event } : { event, moved };
    if (!this.add({ id, version, hash, content })) return;
    const applied = apply(this.state, event);
    if ('illegal' in applied) this.fail({ code: 'altered', version, entryId: id, reason: applied.illegal });
    else this.state = applied.state;
  }

  /** The end: head and state against what is stored. */
  endAt(stored: { head: Head; state: WorkloadState }): void {
    this.end(stored.head);
    if (hashOf(this.state ?? null) !== hashOf(stored.state))
      this.fail({ code: 'stateForged', reason: 'the state that is stored is not the fold of the events' });
  }
}
