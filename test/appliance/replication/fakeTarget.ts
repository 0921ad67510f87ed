import { createHash } from 'node:crypto';
import type { Range } from '../../../appliance/replication/blocks.ts';
import type { Target } from '../../../appliance/replication/target.ts';

export class Crash extends Error {}

/** A page blob in memory that knows which pages were written, and can be cut off in the middle of a copy. */
export class FakeTarget implements Target {
  readonly bytes: Buffer;
  readonly pages: Uint8Array;
  puts = 0;
  clears = 0;
  putBytes = 0;
  /** Writes that are left before the process dies; Infinity for ever. */
  writesLeft = Infinity;
  /** Of the writes in flight when it dies, those whose turn is even still arrive. */
  #late = 0;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
    this.pages = new Uint8Array(size / 512);
  }

  async put(offset: number, data: Uint8Array): Promise<void> {
    if (offset % 512 !== 0 || data.length % 512 !== 0 || data.length > 4 << 20) throw new Error('no page range');
    await this.#write(() => {
      this.puts++;
      this.putBytes += data.length;
      this.bytes.set(data, offset);
      this.pages.fill(1, offset / 512, (offset + data.length) / 512);
    });
  }

  async clear(offset: number, length: number): Promise<void> {
    if (offset % 512 !== 0 || length % 512 !== 0) throw new Error('no page range');
    await this.#write(() => {
      this.clears++;
      this.bytes.fill(0, offset, offset + length);
      this.pages.fill(0, offset / 512, (offset + length) / 512);
    });
  }

  async digestOf(offset: number, length: number): Promise<Uint8Array> {
    await new Promise(setImmediate);
    return createHash('sha256')
      .update(this.bytes.subarray(offset, offset + length))
      .digest();
  }

  async allocated(length: number): Promise<Range[]> {
    const ranges: Range[] = [];
    for (let page = 0; page < length / 512; page++)
      if (this.pages[page]) ranges.push({ start: page * 512, stop: (page + 1) * 512 });
    return ranges;
  }

  async snapshot(): Promise<string> {
    return new Date().toISOString();
  }

  async #write(apply: () => void): Promise<void> {
    await new Promise(setImmediate);
    if (this.writesLeft <= 0) {
      if (this.#late++ % 2 === 0 && this.writesLeft > -3) apply();
      this.writesLeft--;
      throw new Crash('the process is gone');
    }
    this.writesLeft--;
    apply();
  }
}
