// Whether the engine takes more memory for a larger disk: sparse ones, with a little data in each GiB.
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runEngine, startEndpoint } from './endpoint.ts';
import type { Row } from './row.ts';

const GiB = 2 ** 30;
/** Of 1 MiB each, spread over the disk: as many for every size, enough to fill all memory that is lent to a copy. */
const pieces = 128;

export const nameOf = (gib: number): string => `this engine, a sparse disk of ${gib} GiB`;

export async function copySparse(gib: number, folder: string): Promise<Row> {
  const path = join(folder, 'sparse.img');
  const file = openSync(path, 'w');
  ftruncateSync(file, gib * GiB);
  for (let n = 0; n < pieces; n++) writeSync(file, Buffer.alloc(1 << 20, n + 1), 0, 1 << 20, (n * gib * GiB) / pieces);
  closeSync(file);
  const sizeBytes = gib * GiB;
  const endpoint = await startEndpoint(folder, sizeBytes);
  try {
    const state = join(endpoint.folder, 'state');
    return await runEngine(nameOf(gib), sizeBytes, endpoint, {
      kind: 'sync',
      path,
      state,
      sizeBytes,
      verify: 'written',
    });
  } finally {
    await endpoint.stop();
    rmSync(path);
  }
}
