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

/** A hundred bytes in one table and ten thousand in another: all of a disk's rows of the first are looked through. */
interface Row extends Entry {
  /** Hash of the block as the source had it, and as the blob has: as it was acknowledged, or read back since. */
  source: Uint8Array;
  target: Uint8Array;
  /** The digests are others than those that are stored. */
  isNew: boolean;
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
        for (const table of ['held', 'digests'])
          store.run(`DELETE FROM ${table} WHERE key BETWEEN ? AND ?`, base, base + keysPerDisk - 1);
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
    this.#put(block, { ...digests, unread, source, target: source, isNew: true });
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
    const sql = 'SELECT key FROM held WHERE known AND unread <> zeroblob(8) AND key >= ? AND key < ? ORDER BY key';
    for (const window of this.#windows(first))
      for (const { key } of this.#select(sql, window)) yield this.#blockOf(key);
  }

  /** Blocks of a stretch of which nothing is known, in order. */
  *unknown(first = 0, stop = this.blocks): Generator<number> {
    for (const window of this.#windows(first, stop)) {
      const rows = this.#select('SELECT key FROM held WHERE known AND key >= ? AND key < ?', window);
      const known = new Set(rows.map(({ key }) => this.#blockOf(key)));
      for (let block = window.start; block < window.stop; block++) if (!known.has(block)) yield block;
    }
  }

  /** Roots over the blocks as the source had them, and as the blob has them; and the blocks in which they differ. */
  async roots(): Promise<{ source: string; target: string; differing: number[] }> {
    const differing: number[] = [];
    const source = await this.#root(({ source: hash, target }, block) => {
      if (Buffer.compare(hash, target) !== 0) differing.push(block);
      return hash;
    });
    // Nearly always the same: a large disk's takes seconds.
    const target = differing.length === 0 ? source : await this.#root(({ target: hash }) => hash);
    return { source, target, differing };
  }

  async #root(hashOf: (row: Columns, block: number) => Uint8Array): Promise<string> {
    const tree = new MerkleTree();
    let next = 0;
    const sql = 'SELECT key, source, target FROM held WHERE known AND key >= ? AND key < ? ORDER BY key';
    for (const { start, stop } of this.#windows(0)) {
      for (const row of this.#store.each(sql, this.#base + start, this.#base + stop) as Iterable<unknown>) {
        const columns = row as Columns;
        if (this.#blockOf(columns.key) !== next) break;
        tree.add(hashOf(columns, next++));
      }
      if (next !== stop) throw new Error(`a root needs every block, and nothing is known of block ${next}`);
      // Others have their turn.
      await new Promise(setImmediate);
    }
    return tree.root();
  }

  #row(block: number): Row | undefined {
    if (this.#forgetting?.blocks.has(block)) return undefined;
    const pending = this.#pending.get(block);
    if (pending) return pending;
    const sql =
      'SELECT source, target, unread, chunks, prints FROM held JOIN digests USING (key) WHERE key = ? AND known';
    const row = this.#store.get(sql, this.#base + block) as Columns | undefined;
    if (!row) return undefined;
    const stored = { ...row, unread: Buffer.from(row.unread).readBigUInt64LE(), isNew: false };
    if (row.chunks.length > 0) return stored;
    return { ...stored, ...zeroDigests(lengthOf(blockRange(block, this.diskBytes))) };
  }

  #put(block: number, row: Row): void {
    this.#pending.set(block, row);
    if (this.#pending.size >= mostPending) this.flush();
  }

  #save(block: number, { source, target, unread, isNew, ...digests }: Row): void {
    const bits = Buffer.alloc(8);
    bits.writeBigUInt64LE(unread);
    this.#store.run(upsertHeld, this.#base + block, source, target, bits);
    if (!isNew) return;
    const { chunks, prints } = isAllZero(digests) ? { chunks: nothing, prints: nothing } : digests;
    this.#store.run(upsertDigests, this.#base + block, chunks, prints);
  }

  #forgetNow(): void {
    const blocks = [...(this.#forgetting?.blocks ?? [])];
    try {
      this.#store.commit(() => {
        for (const block of blocks) this.#store.run('UPDATE held SET known = 0 WHERE key = ?', this.#base + block);
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
const upsertHeld = `INSERT INTO held (key, known, source, target, unread) VALUES (?, 1, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET known = 1, source = excluded.source, target = excluded.target, unread = excluded.unread`;
const upsertDigests = `INSERT INTO digests (key, chunks, prints) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET chunks = excluded.chunks, prints = excluded.prints`;
