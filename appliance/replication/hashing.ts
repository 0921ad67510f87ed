// What the content of a disk is known by. A piece has a print, the first 8 bytes of its SHA-256, by which it is found what
// changed inside a chunk, and 0 if it holds only zeros. The hash of a chunk is the SHA-256 over the SHA-256s of its pieces,
// that of a block the SHA-256 over the hashes of its chunks: whether anything changed is decided by these alone.
import { hash } from 'node:crypto';
import { blockBytes, chunkBytes, pieceBytes, piecesPerChunk } from './blocks.ts';

const hashBytes = 32;
export const printBytes = 8;
const chunkPrints = piecesPerChunk * printBytes;

/** Of a stretch of whole chunks: a hash for each chunk and a print for each piece, end to end. */
export interface Digests {
  chunks: Uint8Array;
  prints: Uint8Array;
}

const zeros = Buffer.alloc(chunkBytes);
const zeroPiece = hash('sha256', zeros.subarray(0, pieceBytes), 'buffer');
const zeroChunk = hash('sha256', Buffer.concat(Array<Buffer>(piecesPerChunk).fill(zeroPiece)), 'buffer');
const pieces = Buffer.alloc(piecesPerChunk * hashBytes);

/** Room for the digests of a stretch. */
export function roomFor(bytes: number): Digests {
  const chunks = bytes / chunkBytes;
  return { chunks: Buffer.alloc(chunks * hashBytes), prints: Buffer.alloc(chunks * chunkPrints) };
}

const zeroBlock = roomFor(blockBytes);
for (let at = 0; at < zeroBlock.chunks.length; at += hashBytes) zeroBlock.chunks.set(zeroChunk, at);

/** Digests of a stretch of at most a block that holds only zeros; everybody gets the same ones, to read. */
export const zeroDigests = (bytes: number): Digests => partOf(zeroBlock, 0, bytes / chunkBytes);

export function isAllZero({ chunks }: Digests): boolean {
  for (let at = 0; at < chunks.length; at += hashBytes)
    if (!zeroChunk.equals(chunks.subarray(at, at + hashBytes))) return false;
  return true;
}

/** Reads a stretch of whole chunks and writes its digests. */
export function digest(bytes: Buffer, { chunks, prints }: Digests): void {
  for (let chunk = 0; chunk * chunkBytes < bytes.length; chunk++) {
    const content = bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes);
    if (content.equals(zeros)) {
      prints.fill(0, chunk * chunkPrints, (chunk + 1) * chunkPrints);
      chunks.set(zeroChunk, chunk * hashBytes);
      continue;
    }
    for (let piece = 0; piece < piecesPerChunk; piece++) {
      const [from, to] = [piece * pieceBytes, (piece + 1) * pieceBytes];
      const isZero = content[from] === 0 && zeros.compare(content, from, to, 0, pieceBytes) === 0;
      // As a string: a buffer for each of these would be a third of the time.
      if (isZero) pieces.set(zeroPiece, piece * hashBytes);
      else pieces.write(hash('sha256', content.subarray(from, to), 'binary'), piece * hashBytes, 'latin1');
      writePrint(prints, chunk * piecesPerChunk + piece, isZero ? undefined : piece);
    }
    chunks.set(hash('sha256', pieces, 'buffer'), chunk * hashBytes);
  }
}

/** `hashed` is the place of its hash among the pieces of the chunk; undefined for zeros. */
function writePrint(prints: Uint8Array, piece: number, hashed: number | undefined): void {
  const at = piece * printBytes;
  if (hashed === undefined) {
    prints.fill(0, at, at + printBytes);
    return;
  }
  for (let byte = 0; byte < printBytes; byte++) prints[at + byte] = pieces[hashed * hashBytes + byte] ?? 0;
  if (isZeroPrint(prints, piece)) prints[at] = 1;
}

export function isZeroPrint(prints: Uint8Array, piece: number): boolean {
  for (let at = piece * printBytes; at < (piece + 1) * printBytes; at++) if (prints[at] !== 0) return false;
  return true;
}

export function hashOf({ chunks }: Digests, chunk: number): Uint8Array {
  return chunks.subarray(chunk * hashBytes, (chunk + 1) * hashBytes);
}

/** The digests of some chunks of a stretch, in the same memory. */
export function partOf({ chunks, prints }: Digests, first: number, count: number): Digests {
  return {
    chunks: chunks.subarray(first * hashBytes, (first + count) * hashBytes),
    prints: prints.subarray(first * chunkPrints, (first + count) * chunkPrints),
  };
}

export const blockHash = ({ chunks }: Digests): Buffer => hash('sha256', chunks, 'buffer');
