import { joinRanges, type Range } from '../../../appliance/replication/blocks.ts';
import type { Target } from '../../../appliance/replication/target.ts';

export class Crash extends Error {}

const page = 512;

/** A page blob in memory that knows which pages were written, and can be cut off in the middle of a copy. */
export class FakeTarget implements Target {
  readonly bytes: Buffer;
  readonly pages: Uint8Array;
  puts = 0;
  clears = 0;
  putBytes = 0;
  readBytes = 0;
  /** Every range that was put or cleared. */
  touched: Range[] = [];
  /** Writes that are left before the process dies; Infinity for ever. */
  writesLeft = Infinity;
  /** Called when it dies. */
  onDeath: () => void = () => {};
  /** Changes what arrives, to damage it. */
  damage: (offset: number, stored: Buffer) => void = () => {};
  /** Called before something is read, which waits for it. */
  beforeRead: (offset: number, signal: AbortSignal) => Promise<void> = async () => {};
  #versions = 1;
  /** Of the writes in flight when it dies, those whose turn is even still arrive. */
  #late = 0;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
    this.pages = new Uint8Array(size / page);
  }

  async put(offset: number, data: Uint8Array): Promise<void> {
    if (data.length === 0 || data.length > 4 << 20) throw new Error(`${data.length} bytes are no put`);
    await this.#write(offset, data.length, () => {
      this.puts++;
      this.putBytes += data.length;
      this.bytes.set(data, offset);
      this.pages.fill(1, offset / page, (offset + data.length) / page);
      this.damage(offset, this.bytes.subarray(offset, offset + data.length));
    });
  }

  async clear(offset: number, length: number): Promise<void> {
    await this.#write(offset, length, () => {
      this.clears++;
      this.bytes.fill(0, offset, offset + length);
      this.pages.fill(0, offset / page, (offset + length) / page);
    });
  }

  /** The next write, or the next to a place, arrives with another byte. */
  damageOnce(place?: number): void {
    this.damage = (offset, stored) => {
      if (place !== undefined && offset !== place) return;
      stored[5]! ^= 1;
      this.damage = () => {};
    };
  }

  async read(offset: number, buffer: Uint8Array, version: string, signal: AbortSignal): Promise<void> {
    await this.beforeRead(offset, signal);
    await new Promise(setImmediate);
    if (version !== String(this.#versions)) throw new Error('it was written since');
    this.readBytes += buffer.length;
    this.bytes.copy(buffer, 0, offset, offset + buffer.length);
  }

  async allocated({ start, stop }: Range): Promise<Range[]> {
    const ranges: Range[] = [];
    for (let at = start; at < stop; at += page) if (this.pages[at / page]) ranges.push({ start: at, stop: at + page });
    return joinRanges(ranges);
  }

  async version(): Promise<string> {
    return String(this.#versions);
  }

  async snapshot(): Promise<string> {
    return new Date().toISOString();
  }

  async #write(offset: number, length: number, apply: () => void): Promise<void> {
    if (offset % page !== 0 || length % page !== 0) throw new Error('no page range');
    // A lane may go on after its process has died; what it sends then never leaves.
    const isTooLate = this.writesLeft < 0;
    await new Promise(setImmediate);
    const isLost = this.writesLeft <= 0;
    if (this.writesLeft === 0) this.onDeath();
    if (!isLost || (!isTooLate && this.#late++ % 2 === 0 && this.writesLeft > -3)) {
      this.#versions++;
      this.touched.push({ start: offset, stop: offset + length });
      apply();
    }
    this.writesLeft--;
    if (isLost) throw new Crash('the process is gone');
  }
}
