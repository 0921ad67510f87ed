import type { Range } from './blocks.ts';

/** The staging blob as the copy sees it. Offsets and lengths of writes are whole pages; a put has 4 MiB at most. */
export interface Target {
  put(offset: number, data: Uint8Array, signal: AbortSignal): Promise<void>;
  clear(offset: number, length: number, signal: AbortSignal): Promise<void>;
  /** Fills the whole buffer from an offset, if the blob is still in the version that is named. */
  read(offset: number, buffer: Uint8Array, version: string, signal: AbortSignal): Promise<void>;
  /** The ranges that hold data, in order. */
  allocated(within: Range, signal: AbortSignal): Promise<Range[]>;
  /** Names the blob's present version: any write makes another one. */
  version(signal: AbortSignal): Promise<string>;
  /** Keeps the blob as it is in this version, and names the copy. */
  snapshot(version: string, signal: AbortSignal): Promise<string>;
}
