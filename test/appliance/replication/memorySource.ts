import type { Range } from '../../../appliance/replication/blocks.ts';
import { type DiskSource, type Extent, sizeChanged } from '../../../appliance/sources/source.ts';

/** A disk in memory. */
export class MemorySource implements DiskSource {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  reads: Range[] = [];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  async read(offset: number, buffer: Uint8Array): Promise<void> {
    await new Promise(setImmediate);
    if (offset + buffer.length > this.bytes.length) throw new Error('beyond the end');
    this.reads.push({ start: offset, stop: offset + buffer.length });
    this.bytes.copy(buffer, 0, offset, offset + buffer.length);
  }

  async checkSize(): Promise<void> {
    if (this.bytes.length !== this.sizeBytes) throw sizeChanged('disk', this.sizeBytes, this.bytes.length);
  }

  async close(): Promise<void> {}
}

/** One that says which of its 4 KiB are zero. */
export class HoleySource extends MemorySource {
  async *extents({ start, stop }: Range): AsyncGenerator<Extent> {
    for (let at = start; at < stop; ) {
      const end = Math.min(stop, Math.floor(at / 4096) * 4096 + 4096);
      yield { start: at, stop: end, zero: this.bytes.subarray(at, end).every((byte) => byte === 0) };
      at = end;
    }
  }
}
