// What is assumed where nothing was measured: one table, in seconds and bytes per second. Numbers without a source are
// ours: cautious, and replaced by measurements as soon as a workload has been synced, cloned or stopped once.
import type { Check } from '../../model/settings.ts';
import { type Estimate, estimate } from './estimate.ts';

const mebibyte = 2 ** 20;

export const assumed = {
  /** Of all that the disks hold, before any delta was measured: 5 % a day usually, 20 % as a high value. */
  churnPerDay: { expected: 0.05, high: 0.2 },
  /** What an appliance ships before it has shipped anything. */
  transfer: 40 * mebibyte,
  /** What it reads of a disk. */
  read: 100 * mebibyte,
  /**
   * Import of a staging blob into a managed disk. A page blob gives up to 60 MiB/s to one reader:
   * https://learn.microsoft.com/azure/storage/blobs/scalability-targets
   */
  diskImport: { expected: 60 * mebibyte, high: 40 * mebibyte },
  /** A disk that is imported must be created, whatever its size. */
  diskCreation: estimate(15, 60),
  /** Machine and NIC created, and Azure reports it as running. */
  boot: estimate(90, 600),
  stopService: estimate(10, 60),
  startService: estimate(10, 60),
  /** A command to an appliance and its answer. */
  command: estimate(5, 30),
  shutdown: estimate(45),
  /** Power cut after a refused shutdown, until the host confirms it: step 10 waits so long. */
  cutPower: estimate(0, 60),
  /** Step 10's undo waits up to ten minutes for the source to be on. */
  powerOn: estimate(90, 600),
  /** Target quarantined and removed with NIC and disks. */
  destroy: estimate(60, 300),
} as const;

const checks: Readonly<Record<Check['kind'], Estimate>> = {
  boot: estimate(3, 30),
  // Run command: https://learn.microsoft.com/azure/virtual-machines/linux/run-command says "typically 20 seconds".
  file: estimate(20, 90),
  dns: estimate(2, 30),
  tcp: estimate(5, 30),
  http: estimate(5, 60),
};

/** How long one check of step 12 takes. */
export function checkTime({ kind }: Check): Estimate {
  return checks[kind] ?? estimate(10, 60);
}
