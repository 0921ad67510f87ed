// Which blocks of a staging blob hold data, asked in stretches of 1 GiB and only where it matters: of a block of which
// nothing is known, zeros must be cleared if it holds anything.
import { blockBytes, blockRange } from './blocks.ts';
import type { Target } from './target.ts';

const windowBlocks = 256;
const windowsKept = 4;

export class Allocation {
  readonly #target: Target;
  readonly #diskBytes: number;
  readonly #windows = new Map<number, Promise<Uint8Array>>();

  constructor(target: Target, diskBytes: number) {
    this.#target = target;
    this.#diskBytes = diskBytes;
  }

  /** Whether a block may hold data. What is written after the first question about its neighbourhood is not seen. */
  async holdsData(block: number, signal: AbortSignal): Promise<boolean> {
    const window = Math.floor(block / windowBlocks);
    const touched = this.#windows.get(window) ?? this.#ask(window, signal);
    return (await touched)[block - window * windowBlocks] === 1;
  }

  #ask(window: number, signal: AbortSignal): Promise<Uint8Array> {
    const first = window * windowBlocks;
    const start = first * blockBytes;
    const { stop } = blockRange(first + windowBlocks - 1, this.#diskBytes);
    const asked = this.#target.allocated({ start, stop }, signal).then((ranges) => {
      const touched = new Uint8Array(windowBlocks);
      for (const range of ranges)
        touched.fill(1, Math.floor(range.start / blockBytes) - first, Math.ceil(range.stop / blockBytes) - first);
      return touched;
    });
    asked.catch(() => this.#windows.delete(window));
    this.#windows.set(window, asked);
    // A map gives its keys in the order in which they were set.
    for (const old of [...this.#windows.keys()].slice(0, -windowsKept)) this.#windows.delete(old);
    return asked;
  }
}
