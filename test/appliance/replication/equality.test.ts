import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Layout } from './disks.ts';
import { liveThrough } from './equality.ts';
import type { Kind } from './machines.ts';
import { Staging } from './staged.ts';

// Servers and comparisons are processes of their own, which take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let staging: Staging;
beforeAll(async () => {
  staging = await Staging.start();
});
afterAll(() => staging.stop());

// Every pair of layout and kind of source is in the soak.
it.each<[Layout, Kind]>([
  ['ext4', 'raw'],
  ['xfs', 'machine'],
  ['partitioned', 'nbdkit'],
  ['ext4', 'vmdk'],
])(
  'a disk of %s, shown as %s, is equal to its staging blob to the last byte, through ten deltas under a writing source and a final sync',
  async (layout, kind) => {
    expect.hasAssertions();
    await liveThrough(staging, layout, kind, 1);
  },
);
