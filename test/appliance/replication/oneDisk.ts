// One disk, its staging blob and what the appliance knows of it, for tests of the engine without an appliance around.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HashPool } from '../../../appliance/replication/hashPool.ts';
import { type Job, loadJobs, progressOf } from '../../../appliance/replication/job.ts';
import { Ledger } from '../../../appliance/replication/ledger.ts';
import { Meter } from '../../../appliance/replication/meter.ts';
import { Slots } from '../../../appliance/replication/slots.ts';
import { type DiskProof, syncDisk } from '../../../appliance/replication/syncDisk.ts';
import type { Target } from '../../../appliance/replication/target.ts';
import type { DiskSource } from '../../../appliance/sources/source.ts';
import { Store } from '../../../appliance/state/store.ts';
import type { Verification } from '../../../shared/model/settings.ts';
import { vhdDiskSizeOf } from '../../../shared/model/vhd.ts';
import type { CommandData } from '../../../shared/protocol/commands.ts';

const workload = { waveId: 'wave', workloadId: 'web' };

export interface Ran extends DiskProof {
  read: number;
  changed: number;
  verified: number;
}

export class OneDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'one-disk-'));
  readonly #state = join(this.#folder, 'state');
  readonly #dead = join(this.#folder, 'dead');
  readonly #slots = new Slots(8, new HashPool(0));
  #jobs = 0;
  /** Why bitmaps were not believed. */
  readonly refused: string[] = [];
  /** How often syncs are checkpointed, if it is not how often they are. */
  checkpointMs: number | undefined = 20;
  store = Store.open(this.#state);

  ledger(sizeBytes: number): Ledger {
    return new Ledger(this.store, 'wave/web', 'os', vhdDiskSizeOf(sizeBytes));
  }

  /** A sync of the disk that has not begun; give it to `run` again to resume it. */
  job(sizeBytes: number, verify: Verification = 'written', kind: 'initial' | 'delta' | 'final' = 'delta'): Job {
    const disks = [{ diskId: 'os', path: '', sizeBytes, blobName: 'os.vhd' }];
    const command: CommandData<'landfall.sync.start'> = { ...workload, syncId: 's', kind, verify, disks };
    return {
      operationId: `op-${++this.#jobs}`,
      command,
      startedAt: '',
      resumed: false,
      snapshots: {},
      changed: {},
      disks: {},
    };
  }

  async run(source: DiskSource, target: Target, job = this.job(source.sizeBytes), signal = forEver): Promise<Ran> {
    const [disk] = job.command.disks;
    if (!disk) throw new Error('no disk');
    const work = {
      job,
      disk,
      source,
      target,
      meter: new Meter(source.sizeBytes, () => {}, Date.now),
      refuse: (why: string) => void this.refused.push(why),
    };
    const { store, checkpointMs } = this;
    const context = { store, memory: this.#slots.share(), ...(checkpointMs !== undefined && { checkpointMs }) };
    const proof = await syncDisk(context, work, signal);
    const { readBytes, changedBytes, verifiedBytes } = progressOf(job, 'os');
    return { ...proof, read: readBytes, changed: changedBytes, verified: verifiedBytes };
  }

  /** Keeps the state as a process leaves it that is killed now: what it does afterwards has not happened. */
  die(): void {
    rmSync(this.#dead, { recursive: true, force: true });
    cpSync(this.#state, this.#dead, { recursive: true });
  }

  /** The next process: it finds what the last one has left. */
  restart(): void {
    this.store.close();
    rmSync(this.#state, { recursive: true });
    cpSync(this.#dead, this.#state, { recursive: true });
    this.store = Store.open(this.#state);
  }

  /** A sync as the last process has left it. */
  stored({ operationId }: Job): Job | undefined {
    return loadJobs(this.store).find((job) => job.operationId === operationId);
  }

  close(): void {
    this.store.close();
    this.#slots.rest();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const forEver = new AbortController().signal;
