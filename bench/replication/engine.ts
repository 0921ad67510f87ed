// The engine, or one half of it, as a process that does what its parent sends: `engine.ts <signed address of the blob>`.
import { openWithBitmap, refusing } from '../../appliance/replication/bitmap.ts';
import { blockBytes } from '../../appliance/replication/blocks.ts';
import { Flight } from '../../appliance/replication/flight.ts';
import { HashPool } from '../../appliance/replication/hashPool.ts';
import { type Job, progressOf } from '../../appliance/replication/job.ts';
import { inLanes } from '../../appliance/replication/lanes.ts';
import { Meter } from '../../appliance/replication/meter.ts';
import { PageBlob } from '../../appliance/replication/pageBlob.ts';
import { Slots } from '../../appliance/replication/slots.ts';
import { syncDisk } from '../../appliance/replication/syncDisk.ts';
import { openSource } from '../../appliance/sources/open.ts';
import { Store } from '../../appliance/state/store.ts';
import { Task } from './task.ts';
import type { z } from 'zod';

/** The staging blob; its writes are counted. */
class CountedBlob extends PageBlob {
  requests = 0;

  override put(...given: Parameters<PageBlob['put']>): Promise<void> {
    this.requests++;
    return super.put(...given);
  }

  override clear(...given: Parameters<PageBlob['clear']>): Promise<void> {
    this.requests++;
    return super.clear(...given);
  }
}

const [url = ''] = process.argv.slice(2);
const forEver = new AbortController().signal;
const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
const target = new CountedBlob({ flight: new Flight(), access: async () => ({ url, expiresAt }) });
// As many blocks of memory as the appliance has.
const blocks = 8;
let slots = new Slots(blocks);
let store: Store | undefined;

process.on('message', async (asked) => {
  const task = Task.parse(asked);
  if (task.threads !== undefined) slots = new Slots(blocks, new HashPool(task.threads));
  target.requests = 0;
  const began = performance.now();
  const counts = await (task.kind === 'read'
    ? read(task.path)
    : task.kind === 'write'
      ? write(task.bytes)
      : sync(task));
  process.send?.({ seconds: (performance.now() - began) / 1000, ...counts, requests: target.requests });
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** Reads and hashes the source as fast as that goes. */
async function read(path: string) {
  const source = await openSource(path);
  const share = slots.share();
  await inLanes(blocksOf(source.sizeBytes), 6, forEver, (start, signal) =>
    share.use(async ({ data, digest }) => {
      await source.read(start, data.subarray(0, Math.min(blockBytes, source.sizeBytes - start)), signal);
      await digest(blockBytes);
    }),
  );
  return { readBytes: source.sizeBytes, writtenBytes: 0 };
}

/** Writes so many bytes through the page endpoint as fast as that goes. */
async function write(bytes: number) {
  const data = Buffer.allocUnsafeSlow(blockBytes);
  for (let at = 0; at < data.length; at += 4) data.writeUInt32LE(Math.floor(Math.random() * 2 ** 32), at);
  await inLanes(blocksOf(bytes), 8, forEver, (start, signal) => target.put(start, data, signal));
  return { readBytes: 0, writtenBytes: bytes };
}

async function sync(task: Extract<z.output<typeof Task>, { kind: 'sync' }>) {
  const { path, state, sizeBytes, verify, changed, isDelta } = task;
  const disk = { diskId: 'os', path, sizeBytes, blobName: 'disk.vhd', ...(changed && { changed }) };
  const kind = isDelta ? 'delta' : 'initial';
  const job: Job = {
    operationId: 'bench',
    command: { waveId: 'bench', workloadId: 'bench', syncId: 'bench', kind, verify, disks: [disk] },
    startedAt: new Date().toISOString(),
    resumed: false,
    snapshots: {},
    changed: {},
    disks: {},
    ...(changed && { since: changed.since }),
  };
  const refuse = refusing(job, 'os', { info: () => {}, warn: (...said) => console.error(...said) });
  const source = await openWithBitmap(job, disk, refuse);
  store ??= Store.open(state);
  const meter = new Meter(sizeBytes, () => {}, Date.now);
  const work = { job, disk, source, target, meter, refuse };
  const { root, targetRoot } = await syncDisk({ store, memory: slots.share() }, work, forEver);
  const { readBytes, changedBytes, by } = progressOf(job, 'os');
  if (root !== targetRoot) throw new Error('The roots differ.');
  if (by !== (changed ? 'bitmap' : 'manifest')) throw new Error(`Changes were found by the ${by}.`);
  await source.close();
  return { readBytes, writtenBytes: changedBytes };
}

function blocksOf(bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / blockBytes) }, (_, block) => block * blockBytes);
}
