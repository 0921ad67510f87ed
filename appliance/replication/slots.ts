// The memory of all syncs of the process: a fixed number of blocks, whatever the number and the size of the disks. When
// nobody copies, memory and threads go.
import { HashPool } from './hashPool.ts';
import { allocateBlocks, type SharedBlock } from './sharedBlock.ts';

export interface Slot extends Pick<SharedBlock, 'data' | 'digests'> {
  /** Fills the digests of the first `bytes` of the data, which are whole chunks. */
  digest(bytes: number): Promise<void>;
}

/** One sync's access to the memory. */
export interface Share {
  /** Lends one block for as long as `work` takes. */
  use<T>(work: (slot: Slot) => Promise<T>): Promise<T>;
}

interface Holder {
  held: number;
}

/** Syncs that follow each other closely find the threads running: to start them takes as long as copying 30 MB. */
const restAfterMs = 30_000;

export class Slots {
  #free: SharedBlock[] = [];
  /** What nobody needs: the collector may take it, and the next sync if it comes first. */
  #rested: WeakRef<SharedBlock[]> | undefined;
  readonly #waiting: { holder: Holder; resolve: (block: SharedBlock) => void }[] = [];
  readonly #limit: number;
  readonly #hashing: HashPool;
  #lent = 0;
  #resting: NodeJS.Timeout | undefined;

  constructor(limit: number, hashing = new HashPool()) {
    this.#limit = limit;
    this.#hashing = hashing;
  }

  /** A share for one sync. Who holds least comes first, so that a sync over a slow line does not hold up the others. */
  share(): Share {
    const holder: Holder = { held: 0 };
    return {
      use: async (work) => {
        const block = await this.#take(holder);
        try {
          return await work({ ...block, digest: (bytes) => this.#hashing.digest(block, bytes) });
        } finally {
          this.#give(block, holder);
        }
      },
    };
  }

  #take(holder: Holder): Promise<SharedBlock> {
    if (this.#lent >= this.#limit) return new Promise((resolve) => this.#waiting.push({ holder, resolve }));
    const [block, ...others] =
      this.#free.length > 0 ? this.#free : (this.#rested?.deref() ?? allocateBlocks(this.#limit));
    if (!block) throw new Error('there is no memory to lend');
    this.#free = others;
    this.#lent++;
    holder.held++;
    clearTimeout(this.#resting);
    return Promise.resolve(block);
  }

  #give(block: SharedBlock, holder: Holder): void {
    holder.held--;
    const least = Math.min(...this.#waiting.map((each) => each.holder.held));
    const next = this.#waiting.findIndex((each) => each.holder.held === least);
    const [waiter] = next < 0 ? [] : this.#waiting.splice(next, 1);
    if (waiter) {
      waiter.holder.held++;
      waiter.resolve(block);
      return;
    }
    this.#lent--;
    this.#free.push(block);
    if (this.#lent === 0) this.#resting = setTimeout(() => this.rest(), restAfterMs).unref();
  }

  /** Lets memory and threads go that nobody uses. */
  rest(): void {
    clearTimeout(this.#resting);
    if (this.#lent > 0) return;
    if (this.#free.length > 0) this.#rested = new WeakRef(this.#free);
    this.#free = [];
    this.#hashing.rest();
  }
}
