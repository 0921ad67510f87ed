import type { Range } from './blocks.ts';

/** The staging blob as the copy sees it: offsets and lengths are whole pages, 4 MiB at most. */
export interface Target {
  put(offset: number, data: Uint8Array, signal: AbortSignal): Promise<void>;
  clear(offset: number, length: number, signal: AbortSignal): Promise<void>;
  /** SHA-256 of a range as the blob holds it. */
  digestOf(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
  /** The ranges below `length` that hold data. */
  allocated(length: number, signal: AbortSignal): Promise<Range[]>;
  /** Keeps the blob as it is now, and names the copy. */
  snapshot(signal: AbortSignal): Promise<string>;
}
