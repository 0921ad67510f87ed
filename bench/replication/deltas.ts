// What has changed on a disk that QEMU keeps, carried by its dirty bitmap: one stretch, and pieces of 4 KiB all over it.
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { qemuDaemon, releaseFrozen, takeFrozen } from '../../test/appliance/nbd/qemuDaemon.ts';
import { makeCold } from './disks.ts';
import { startEndpoint, startEngine } from './endpoint.ts';
import type { Disk } from './initial.ts';
import type { Row } from './row.ts';

export const names = {
  contiguous: 'delta by bitmap: 1 % in one stretch',
  scattered: 'delta by bitmap: 4 KiB pieces, scattered',
  manifest: 'delta by manifest: everything read, nothing changed',
} as const;

const piece = 4096;
/** Of the same stretch, one after the other: one alone takes too little time to be sure of. */
const deltas = 3;

export async function carryChanges({ path, sizeBytes }: Disk, folder: string, pieces: number): Promise<Row[]> {
  const image = join(folder, 'disk.qcow2');
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', path, image]);
  const daemon = await qemuDaemon(folder, image);
  const endpoint = await startEndpoint(folder, sizeBytes);
  const engine = await startEngine(endpoint);
  const state = join(endpoint.folder, 'state');
  const rows: Row[] = [];
  let since: string | undefined;
  const sync = async (syncId: string, what: string, bytes: number): Promise<void> => {
    const { uri, changed } = await takeFrozen(daemon, syncId, since);
    makeCold(image);
    const told = changed !== undefined && since !== undefined && { changed: { context: changed, since } };
    const task = {
      kind: 'sync',
      path: uri,
      state,
      sizeBytes,
      verify: 'written',
      isDelta: since !== undefined,
    } as const;
    rows.push(await engine.run(what, bytes, { ...task, ...told }));
    await releaseFrozen(daemon, syncId);
    since = syncId;
  };
  const write = (writes: string[]): void => {
    for (let at = 0; at < writes.length; at += 500)
      execFileSync('qemu-io', ['-f', 'raw', ...writes.slice(at, at + 500).flatMap((one) => ['-c', one]), daemon.live]);
  };
  try {
    await sync('initial', 'initial', sizeBytes);
    const hundredth = Math.floor(sizeBytes / 100 / piece) * piece;
    // In stretches of 16 MiB: qemu-io takes no more at once than it has memory for.
    const stretch = 16 << 20;
    const starts = Array.from({ length: Math.ceil(hundredth / stretch) }, (_, index) => index * stretch);
    for (let n = 1; n <= deltas; n++) {
      write(starts.map((at) => `write -P ${n} ${sizeBytes / 2 + at} ${Math.min(stretch, hundredth - at)}`));
      await sync(`contiguous-${n}`, names.contiguous, hundredth);
    }
    write(
      Array.from({ length: pieces }, () => `write -P 205 ${randomInt(Math.floor(sizeBytes / piece)) * piece} ${piece}`),
    );
    await sync('scattered', names.scattered, pieces * piece);
    since = undefined;
    await sync('manifest', names.manifest, sizeBytes);
    return rows.slice(1);
  } finally {
    await engine.stop();
    await daemon.stop();
    await endpoint.stop();
    rmSync(image);
  }
}
