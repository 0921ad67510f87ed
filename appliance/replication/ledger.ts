// What is known about the content of one staging blob, block by block: manifest and checkpoint in one. An entry is true
// at every moment, also after a crash: it is forgotten, durably, before its block is written, and comes back with the new
// hash only after the write was acknowledged. Losing entries costs time, a wrong one would cost data.
import { hashBytes, merkleRoot } from '../../shared/protocol/merkle.ts';
import type { Store } from '../state/store.ts';
import { blockCount } from './blocks.ts';

const state = { unknown: 0, known: 1, written: 2 } as const;
const pageBlocks = 256;

export class Ledger {
  readonly blocks: number;
  readonly #store: Store;
  readonly #workload: string;
  readonly #disk: string;
  readonly #states: Uint8Array;
  readonly #hashes: Buffer;
  readonly #dirty = new Set<number>();

  constructor(store: Store, workload: string, disk: string, sizeBytes: number) {
    this.blocks = blockCount(sizeBytes);
    this.#store = store;
    this.#workload = workload;
    this.#disk = disk;
    this.#states = new Uint8Array(this.blocks);
    this.#hashes = Buffer.alloc(this.blocks * hashBytes);
    const rows = store.all('SELECT page, states, hashes FROM ledger WHERE workload = ? AND disk = ?', workload, disk);
    for (const { page, states, hashes } of rows as { page: number; states: Uint8Array; hashes: Uint8Array }[]) {
      const first = page * pageBlocks;
      if (states.length !== Math.min(pageBlocks, this.blocks - first)) continue;
      this.#states.set(states, first);
      this.#hashes.set(hashes, first * hashBytes);
    }
  }

  /** Forgets everything about a workload's blobs. */
  static reset(store: Store, workload: string): void {
    store.commit(() => {
      store.run('DELETE FROM ledger WHERE workload = ?', workload);
      store.run('DELETE FROM point WHERE workload = ?', workload);
    });
  }

  isKnown(index: number): boolean {
    return this.#states[index] !== state.unknown;
  }

  /** Whether anything is not known, so that the blob itself must be asked. */
  hasGaps(): boolean {
    return this.#states.includes(state.unknown);
  }

  /** Whether the blob is known to hold exactly this content. */
  holds(index: number, digest: Uint8Array): boolean {
    return this.isKnown(index) && this.hashOf(index).equals(digest);
  }

  hashOf(index: number): Buffer {
    return this.#hashes.subarray(index * hashBytes, (index + 1) * hashBytes);
  }

  /** Must be called before a block is written; durable when it returns. */
  forget(index: number): void {
    if (!this.isKnown(index)) return;
    this.#states[index] = state.unknown;
    this.#store.commit(() => this.#save(Math.floor(index / pageBlocks)));
  }

  /** The blob holds this content now. Durable with the next flush; until then it is only unknown. */
  settle(index: number, digest: Uint8Array, wasWritten: boolean): void {
    this.#states[index] = wasWritten ? state.written : state.known;
    this.hashOf(index).set(digest);
    this.#dirty.add(Math.floor(index / pageBlocks));
  }

  /** Blocks that were written and not yet read back, by this sync or by one that failed before. */
  written(): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.blocks; index++) if (this.#states[index] === state.written) found.push(index);
    return found;
  }

  markVerified(): void {
    for (const index of this.written()) {
      this.#states[index] = state.known;
      this.#dirty.add(Math.floor(index / pageBlocks));
    }
    this.flush();
  }

  flush(): void {
    if (this.#dirty.size === 0) return;
    this.#store.commit(() => {
      for (const page of [...this.#dirty]) this.#save(page);
    });
  }

  root(): string {
    if (this.hasGaps()) throw new Error('a root needs every block');
    return merkleRoot(this.#hashes);
  }

  #save(page: number): void {
    const [first, last] = [page * pageBlocks, Math.min((page + 1) * pageBlocks, this.blocks)];
    this.#store.run(
      'INSERT OR REPLACE INTO ledger (workload, disk, page, states, hashes) VALUES (?, ?, ?, ?, ?)',
      this.#workload,
      this.#disk,
      page,
      this.#states.subarray(first, last),
      this.#hashes.subarray(first * hashBytes, last * hashBytes),
    );
    this.#dirty.delete(page);
  }
}
