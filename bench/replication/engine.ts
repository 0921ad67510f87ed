// One run of the engine, or of one half of it: `engine.ts <signed address of the blob> <task as JSON>`.
import { openWithBitmap, refusing } from '../../appliance/replication/bitmap.ts';
import { blockBytes } from '../../appliance/replication/blocks.ts';
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

const [url = '', asked = ''] = process.argv.slice(2);
const task = Task.parse(JSON.parse(asked));
const forEver = new AbortController().signal;
const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
const target = new CountedBlob({ access: async () => ({ url, expiresAt }) });
// As many blocks of memory as the appliance has.
const slots = new Slots(8, task.threads === undefined ? new HashPool() : new HashPool(task.threads));

const began = performance.now();
const counts = task.kind === 'read' ? await read() : task.kind === 'write' ? await write(task.bytes) : await sync(task);
const seconds = (performance.now() - began) / 1000;
process.send?.({ seconds, ...counts, requests: target.requests }, () => process.exit());

/** Reads and hashes the source as fast as that goes. */
async function read() {
  const source = await openSource(task.path);
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

async function sync({ path, state, sizeBytes, verify, changed, isDelta }: Extract<typeof task, { kind: 'sync' }>) {
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
  const store = Store.open(state);
  const meter = new Meter(sizeBytes, () => {}, Date.now);
  const work = { job, disk, source, target, meter, refuse };
  const { root, targetRoot } = await syncDisk({ store, memory: slots.share() }, work, forEver);
  const { readBytes, changedBytes, by } = progressOf(job, 'os');
  if (root !== targetRoot) throw new Error('The roots differ.');
  if (by !== (changed ? 'bitmap' : 'manifest')) throw new Error(`Changes were found by the ${by}.`);
  store.close();
  return { readBytes, writtenBytes: changedBytes };
}

function blocksOf(bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / blockBytes) }, (_, block) => block * blockBytes);
}
