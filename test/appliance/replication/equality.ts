// The life of one replicated disk, told by a machine that goes on writing: an initial sync, ten deltas and a final one, each
// judged by QEMU, which compares the staging blob with the disk as it was frozen.
import { join } from 'node:path';
import { expect } from 'vitest';
import { openWithBitmap, refusing } from '../../../appliance/replication/bitmap.ts';
import { lengthOf } from '../../../appliance/replication/blocks.ts';
import { progressOf } from '../../../appliance/replication/job.ts';
import { type Disk, type Layout, makeDisk } from './disks.ts';
import { compareImages, type Kind, machineOf, type Readable, type Write } from './machines.ts';
import { OneDisk } from './oneDisk.ts';
import type { Staging } from './staged.ts';

const deltas = 10;
/** After these deltas the machine ends in order, and is killed, where it can. */
const [restarted, crashed] = [4, 7];

export async function liveThrough(staging: Staging, layout: Layout, kind: Kind, seed: number): Promise<void> {
  const folder = join(staging.harness.dataDir, `${layout}-${kind}`);
  const disk = makeDisk(layout, folder);
  const machine = await machineOf(kind, join(folder, 'machine'), disk.path);
  const staged = await staging.stage(`${layout}-${kind}`, disk.sizeBytes);
  const known = new OneDisk();
  const draw = drawer(seed);
  let since: string | undefined;
  const sync = async (
    syncId: string,
    kindOf: 'initial' | 'delta' | 'final',
    readable: Readable,
    meanwhile?: () => Promise<void>,
  ) => {
    const job = known.job(disk.sizeBytes, draw(5) === 0 ? 'all' : 'written', kindOf);
    if (since !== undefined) job.since = since;
    const [entry] = job.command.disks;
    Object.assign(entry!, {
      path: readable.path,
      ...(readable.changed && since && { changed: { context: readable.changed, since } }),
    });
    const source = await openWithBitmap(job, entry!, refusing(job, 'os', quiet));
    try {
      const [ran] = await Promise.all([known.run(source, staged.target, job), meanwhile?.()]);
      expect(ran.targetRoot).toBe(ran.root);
    } finally {
      await source.close();
    }
    const vhd = await staged.download();
    expect(compareImages(vhd, readable)).toMatchObject({ status: 0 });
    since = syncId;
    return { ...progressOf(job, 'os'), vhd };
  };
  let changed = 0;
  try {
    for (let number = 0; number <= deltas; number++) {
      await machine.write(drawWrites(disk, draw));
      const readable = await machine.freeze(`s${number}`, since);
      const progress = await sync(`s${number}`, number === 0 ? 'initial' : 'delta', readable, () =>
        machine.write(drawWrites(disk, draw)),
      );
      const isTold = machine.tracks && number > 0 && !(machine.crash && number === crashed + 1);
      expect(progress.by).toBe(isTold ? 'bitmap' : 'manifest');
      await readable.close();
      if (number > 0) changed += progress.changedBytes;
      if (number === restarted) await machine.restart?.();
      if (number === crashed) await machine.crash?.();
    }
    const readable = await machine.open('final', since);
    const { vhd } = await sync('final', 'final', readable);
    await readable.close();
    disk.check(vhd);
    // The machine did write.
    expect(changed).toBeGreaterThan(100_000);
  } finally {
    known.close();
    await machine.stop();
  }
}

const quiet = { info: () => {}, warn: () => {} };

/** Some writes, long and short, with zeros among them, where the disk may be written. */
function drawWrites({ writable }: Disk, draw: (below: number) => number): Write[] {
  return Array.from({ length: 1 + draw(5) }, () => {
    const range = writable[draw(writable.length)]!;
    const at = range.start + draw(lengthOf(range));
    return { at, length: 1 + draw(Math.min(range.stop - at, 400_000)), value: draw(3) === 0 ? 0 : 1 + draw(255) };
  });
}

/** A small generator of numbers below a bound: the same for the same seed (mulberry32). */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}
