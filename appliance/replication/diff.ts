// What must be written so that a stretch of the staging blob becomes equal to the source: pure, from digests alone.
import { pieceBytes, piecesPerChunk, type Range } from './blocks.ts';
import { type Digests, hashOf, isZeroPrint, printBytes } from './hashing.ts';

/** Byte ranges within the stretch. */
export interface Difference {
  puts: Range[];
  clears: Range[];
  /** Chunks in which anything is written. */
  chunks: number[];
}

/** A gap between two changes that is not worth a second request: its bytes are sent along, as they are. */
const bridgedBytes = 32 << 10;

/**
 * Compares what the blob is known to hold with what the source holds. With `before` undefined nothing is known of the blob;
 * then zeros need clearing only where it `mayHoldData`.
 */
export function difference(before: Digests | undefined, now: Digests, mayHoldData: boolean): Difference {
  const puts: Range[] = [];
  const clears: Range[] = [];
  const chunks: number[] = [];
  const count = now.prints.length / printBytes / piecesPerChunk;
  for (let chunk = 0; chunk < count; chunk++) {
    if (before && Buffer.compare(hashOf(before, chunk), hashOf(now, chunk)) === 0) continue;
    const first = chunk * piecesPerChunk;
    const all = Array.from({ length: piecesPerChunk }, (_, piece) => first + piece);
    const changed = before ? all.filter((piece) => !isSamePrint(before.prints, now.prints, piece)) : all;
    // The hashes differ: if no print does, two different pieces have the same one, and it is not known which.
    let isWritten = false;
    for (const piece of changed.length === 0 ? all : changed) {
      const isZero = isZeroPrint(now.prints, piece);
      if (isZero && !before && !mayHoldData) continue;
      isWritten = true;
      addPiece(isZero ? clears : puts, piece);
    }
    if (isWritten) chunks.push(chunk);
  }
  const bridged = bridge(puts);
  return { puts: bridged, clears: clears.flatMap((range) => without(range, bridged)), chunks };
}

function isSamePrint(a: Uint8Array, b: Uint8Array, piece: number): boolean {
  const [from, to] = [piece * printBytes, (piece + 1) * printBytes];
  for (let at = from; at < to; at++) if (a[at] !== b[at]) return false;
  return true;
}

function addPiece(ranges: Range[], piece: number): void {
  const last = ranges.at(-1);
  if (last?.stop === piece * pieceBytes) last.stop += pieceBytes;
  else ranges.push({ start: piece * pieceBytes, stop: (piece + 1) * pieceBytes });
}

function bridge(puts: readonly Range[]): Range[] {
  const bridged: Range[] = [];
  for (const { start, stop } of puts) {
    const last = bridged.at(-1);
    if (last && start - last.stop <= bridgedBytes) last.stop = stop;
    else bridged.push({ start, stop });
  }
  return bridged;
}

/** What is left of a range beside others, which are in order. */
function without(range: Range, others: readonly Range[]): Range[] {
  const left: Range[] = [];
  let { start } = range;
  for (const other of others) {
    if (other.stop <= start || other.start >= range.stop) continue;
    if (other.start > start) left.push({ start, stop: other.start });
    start = other.stop;
  }
  if (start < range.stop) left.push({ start, stop: range.stop });
  return left;
}
