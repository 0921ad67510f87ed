// What is known about the content of one staging blob, block by block: manifest and checkpoint in one. An entry is true
// at every moment, also after a crash: it is forgotten, durably, before its block is written, and comes back with the new
// hashes only after the write was acknowledged. Losing entries costs time, a wrong one would cost data. It lives in the
// store and not in memory, for a disk may have any size.
import { MerkleTree } from '../../shared/protocol/merkle.ts';
import type { Store } from '../state/store.ts';
import { blockCount, blockRange, lengthOf } from './blocks.ts';
import { blockHash, type Digests, isAllZero, zeroDigests } from './hashing.ts';

/** What the blob holds in a block. */
export interface Entry extends Digests {
  /** One bit per chunk: written, by this sync or by one before, and not yet read back. */
  unread: bigint;
}

interface Row extends Entry {
  /** Hash of the block as the source had it, and as the blob has: as it was acknowledged, or read back since. */
  source: Uint8Array;
  target: Uint8Array;
}

/** Entries that wait for the next flush; with more, it comes at once. */
const mostPending = 16;
/** Rows that are read at a time where all are looked through. */
const windowBlocks = 1024;
const keysPerDisk = 2 ** 32;
const nothing = new Uint8Array(0);

export class Ledger {
  readonly blocks: number;
  readonly #store: Store;
  readonly diskBytes: number;
  /** Key of block 0. */
  readonly #base: number;
  readonly #pending = new Map<number, Row>();
  #forgetting: { blocks: Set<number>; done: Promise<void> } | undefined;

  constructor(store: Store, workload: string, disk: string, diskBytes: number) {
    this.#store = store;
    this.diskBytes = diskBytes;
    this.blocks = blockCount(diskBytes);
    store.run('INSERT OR IGNORE INTO disk (workload, name) VALUES (?, ?)', workload, disk);
    const found = store.get('SELECT id FROM disk WHERE workload = ? AND name = ?', workload, disk);
    this.#base = Number(found?.['id']) * keysPerDisk;
  }

  /** Forgets everything about a workload's blobs. */
  static reset(store: Store, workload: string): void {
    store.commit(() => {
      for (const { id } of store.all('SELECT id FROM disk WHERE workload = ?', workload)) {
        const base = Number(id) * keysPerDisk;
        store.run('DELETE FROM block WHERE key BETWEEN ? AND ?', base, base + keysPerDisk - 1);
      }
      store.run('DELETE FROM disk WHERE workload = ?', workload);
      store.run('DELETE FROM lastPoint WHERE workload = ?', workload);
    });
  }

  /** What the blob is known to hold in a block. */
  get(block: number): Entry | undefined {
    return this.#row(block);
  }

  /** Must be awaited before known blocks are written: then they are unknown, durably. Calls of one turn share a commit. */
  async forget(blocks: readonly number[]): Promise<void> {
    if (blocks.length === 0) return;
    this.#forgetting ??= { blocks: new Set(), done: new Promise(setImmediate).then(() => this.#forgetNow()) };
    for (const block of blocks) this.#forgetting.blocks.add(block);
    await this.#forgetting.done;
  }

  /** The blob holds this content now. Durable with the next flush; until then it is only unknown. */
  settle(block: number, digests: Digests, unread: bigint): void {
    const source = blockHash(digests);
    this.#put(block, { ...digests, unread, source, target: source });
  }

  /** Some chunks of a block were read back: `found` are the digests of the block with what they hold. */
  confirm(block: number, found: Digests, chunks: bigint): void {
    const row = this.#row(block);
    if (!row) throw new Error(`nothing is known of block ${block}`);
    const target = blockHash(found);
    const unread = row.unread & ~chunks;
    if (unread !== row.unread || !target.equals(row.target)) this.#put(block, { ...row, unread, target });
  }

  flush(): void {
    if (this.#pending.size === 0) return;
    this.#store.keep(() => {
      for (const [block, row] of this.#pending) this.#save(block, row);
    });
    this.#pending.clear();
  }

  /** Blocks that have chunks to read back, from one on, in order. */
  *unread(first = 0): Generator<number> {
    const sql = 'SELECT key FROM block WHERE known AND unread <> zeroblob(8) AND key >= ? AND key < ? ORDER BY key';
    for (const window of this.#windows(first))
      for (const { key } of this.#select(sql, window)) yield this.#blockOf(key);
  }

  /** Blocks of a stretch of which nothing is known, in order. */
  *unknown(first = 0, stop = this.blocks): Generator<number> {
    for (const window of this.#windows(first, stop)) {
      const rows = this.#select('SELECT key FROM block WHERE known AND key >= ? AND key < ?', window);
      const known = new Set(rows.map(({ key }) => this.#blockOf(key)));
      for (let block = window.start; block < window.stop; block++) if (!known.has(block)) yield block;
    }
  }

  /** Roots over the blocks as the source had them, and as the blob has them; and the blocks in which they differ. */
  roots(): { source: string; target: string; differing: number[] } {
    const [source, target] = [new MerkleTree(), new MerkleTree()];
    const differing: number[] = [];
    let next = 0;
    this.flush();
    const sql = 'SELECT key, source, target FROM block WHERE known AND key >= ? AND key < ? ORDER BY key';
    const rows = this.#store.each(sql, this.#base, this.#base + this.blocks) as Iterable<unknown> as Iterable<Columns>;
    for (const row of rows) {
      if (this.#blockOf(row.key) !== next) break;
      source.add(row.source);
      target.add(row.target);
      if (Buffer.compare(row.source, row.target) !== 0) differing.push(next);
      next++;
    }
    if (next !== this.blocks) throw new Error(`a root needs every block, and nothing is known of block ${next}`);
    return { source: source.root(), target: target.root(), differing };
  }

  #row(block: number): Row | undefined {
    if (this.#forgetting?.blocks.has(block)) return undefined;
    const pending = this.#pending.get(block);
    if (pending) return pending;
    const sql = 'SELECT source, target, unread, chunks, prints FROM block WHERE key = ? AND known';
    const row = this.#store.get(sql, this.#base + block) as Columns | undefined;
    if (!row) return undefined;
    const unread = Buffer.from(row.unread).readBigUInt64LE();
    if (row.chunks.length > 0) return { ...row, unread };
    return { ...row, ...zeroDigests(lengthOf(blockRange(block, this.diskBytes))), unread };
  }

  #put(block: number, row: Row): void {
    this.#pending.set(block, row);
    if (this.#pending.size >= mostPending) this.flush();
  }

  #save(block: number, { source, target, unread, ...digests }: Row): void {
    const { chunks, prints } = isAllZero(digests) ? { chunks: nothing, prints: nothing } : digests;
    const bits = Buffer.alloc(8);
    bits.writeBigUInt64LE(unread);
    this.#store.run(upsert, this.#base + block, source, target, bits, chunks, prints);
  }

  #forgetNow(): void {
    const blocks = [...(this.#forgetting?.blocks ?? [])];
    try {
      this.#store.commit(() => {
        for (const block of blocks) this.#store.run('UPDATE block SET known = 0 WHERE key = ?', this.#base + block);
      });
      for (const block of blocks) this.#pending.delete(block);
    } finally {
      this.#forgetting = undefined;
    }
  }

  *#windows(first: number, end = this.blocks): Generator<{ start: number; stop: number }> {
    for (let start = first; start < end; start += windowBlocks) {
      this.flush();
      yield { start, stop: Math.min(start + windowBlocks, end) };
    }
  }

  #select(sql: string, { start, stop }: { start: number; stop: number }): Columns[] {
    return this.#store.all(sql, this.#base + start, this.#base + stop) as unknown as Columns[];
  }

  #blockOf(key: number): number {
    return key - this.#base;
  }
}

interface Columns {
  key: number;
  source: Uint8Array;
  target: Uint8Array;
  unread: Uint8Array;
  chunks: Uint8Array;
  prints: Uint8Array;
}

// An update in place: a row keeps its length, so that SQLite rewrites only the pages in which something differs.
const upsert = `INSERT INTO block (key, known, source, target, unread, chunks, prints) VALUES (?, 1, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET known = 1, source = excluded.source, target = excluded.target,
    unread = excluded.unread, chunks = excluded.chunks, prints = excluded.prints`;
