// A blob's bytes: streamed to a client in pieces, or laid out as a sparse file. Holes cost nothing in either.
import { constants, open } from 'node:fs/promises';
import type { Store } from './catalogue.ts';
import { type Extent, listExtents, type Range } from './extents.ts';
import type { Layers } from './layers.ts';
import { PageMemory } from './pageMemory.ts';

const PIECE = 1 << 20;
const zeros = Buffer.alloc(PIECE);
const memory = new PageMemory(PIECE, 8);

/** The bytes of a range, holes included, in pieces of at most a mebibyte, each lent until the next one is asked for. */
export async function* readRange(store: Store, blob: number, range: Range): AsyncGenerator<Buffer> {
  let position = range.start;
  for (const extent of listExtents(store.sql, blob, range)) {
    yield* zeroPieces(extent.start - position);
    if (extent.filled) yield* readExtent(store.layers, extent);
    else yield* zeroPieces(extent.stop - extent.start);
    position = extent.stop;
  }
  yield* zeroPieces(range.stop - position);
}

/** Writes the blob to a new file that has holes where the blob has none of its pages, or only zeros. */
export async function copyToFile(store: Store, blob: { id: number; size: number }, path: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await file.truncate(blob.size);
    for (const extent of listExtents(store.sql, blob.id, { start: 0, stop: blob.size })) {
      if (!extent.filled) continue;
      let position = extent.start;
      for await (const piece of readExtent(store.layers, extent)) {
        if (!piece.equals(zeros.subarray(0, piece.length))) {
          const { bytesWritten } = await file.write(piece, 0, piece.length, position);
          if (bytesWritten !== piece.length) throw new Error(`The disk is full: ${path}`);
        }
        position += piece.length;
      }
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function* readExtent(layers: Layers, { layer, start, stop }: Extent): AsyncGenerator<Buffer> {
  const lent = memory.take(Math.min(PIECE, stop - start));
  try {
    for (let position = start; position < stop; position += PIECE) {
      const piece = lent.subarray(0, stop - position);
      await layers.read(layer, piece, position);
      yield piece;
    }
  } finally {
    memory.give(lent);
  }
}

function* zeroPieces(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= PIECE) yield zeros.subarray(0, Math.min(PIECE, left));
}
