// A disk as the engine reads it: whatever Linux or an NBD server can show as a row of bytes.
import { Problem } from '../problem.ts';
import type { Range } from '../replication/blocks.ts';

/** A stretch of a disk; `zero` says that it is known to read as zeros without being read. */
export interface Extent extends Range {
  zero: boolean;
}

export interface DiskSource {
  /** Size in bytes when it was opened, and for as long as it is read. */
  readonly sizeBytes: number;
  /**
   * Fills the whole buffer from an offset; offset and length lie within the disk. Several reads may be in flight.
   * @throws Problem `diskUnreadable`, or `diskSizeChanged` where the disk ends early.
   */
  read(offset: number, buffer: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Which stretches hold nothing, in order and without gaps; absent where the source cannot tell. It may change at any time. */
  extents?(within: Range, signal: AbortSignal): AsyncIterable<Extent>;
  /**
   * Ranges that may have changed since the moment that its metadata context counts from, in order; everything else has not.
   * Absent where the source has no such context.
   */
  changed?(within: Range, signal: AbortSignal): AsyncIterable<Range>;
  /** Fails with `diskSizeChanged` if the disk has another size by now. */
  checkSize(): Promise<void>;
  close(): Promise<void>;
}

/** The disk is another than it was when it was opened, or planned. */
export function sizeChanged(disk: string, expected: number, found: number): Problem {
  return new Problem(
    'diskSizeChanged',
    `The disk ${disk} has ${found} bytes, and ${expected} were planned.`,
    'Bring the inventory up to date and plan the wave anew: its staging blob and target disk have the old size.',
  );
}
