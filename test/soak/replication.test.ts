// Disks replicated while they are written: every layout over every kind of source, and other writes each time.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Layout } from '../appliance/replication/disks.ts';
import { liveThrough } from '../appliance/replication/equality.ts';
import type { Kind } from '../appliance/replication/machines.ts';
import { Staging } from '../appliance/replication/staged.ts';

const layouts: readonly Layout[] = ['ext4', 'xfs', 'partitioned'];
// Block devices are loop devices, which only root makes.
const kinds: readonly Kind[] = ['raw', 'block', 'nbdkit', 'qcow2', 'vmdk', 'vhdx', 'qemu', 'machine', 'domain'];
const seed = Number(process.env['REPLICATION_SEED'] ?? Date.now() % 1_000_000);

let staging: Staging;
beforeAll(async () => {
  staging = await Staging.start();
});
afterAll(() => staging.stop());

it.each(layouts.flatMap((layout) => kinds.map((kind) => [layout, kind] as const)))(
  `a disk of %s, shown as %s, is equal to its staging blob through ten deltas (seed ${seed})`,
  async (layout, kind) => {
    expect.hasAssertions();
    await liveThrough(staging, layout, kind, seed);
  },
);
