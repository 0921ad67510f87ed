// What a wave came to: bytes, downtime, and whether source and target are the same, byte for byte.
import type { WaveView } from '../harness/api.ts';
import { type AzureView, hashFile } from '../harness/azure.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import { workloadsOf } from './view/changes.ts';

export interface DiskComparison {
  disk: string;
  sizeBytes: number;
  source: string;
  target: string;
  equal: boolean;
}

export interface WorkloadSummary {
  workload: string;
  method: string;
  initialBytes: number;
  deltas: number;
  deltaBytes: number;
  finalBytes: number;
  downtimeMs: number | undefined;
  disks: DiskComparison[];
}

export interface DnsChange {
  name: string;
  before: string[];
  after: string[];
}

export interface Summary {
  wave: string;
  status: string;
  reason: string | undefined;
  passed: boolean;
  elapsedMs: number;
  workloads: WorkloadSummary[];
  dns: DnsChange[];
  look: string[];
}

/** The A records that the plan's actions set. */
export function recordsOf(plan: WavePlan): { zone: string; record: string }[] {
  return plan.workloads.flatMap(({ settings }) =>
    settings.cutover.actions.flatMap((action) =>
      action.kind === 'dns' && action.type === 'A'
        ? [{ zone: action.zoneId.split('/').at(-1) ?? '', record: action.record }]
        : [],
    ),
  );
}

/** Where each of these records points. */
export async function resolveAll(
  azure: AzureView,
  records: { zone: string; record: string }[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { zone, record } of records) found.set(`${record}.${zone}`, await azure.addresses(zone, record));
  return found;
}

/** Hashes both sides of every disk of a workload; the target's boot disk is its OS disk. */
export async function compareDisks(
  azure: AzureView,
  { source, target }: WavePlan['workloads'][number],
): Promise<DiskComparison[]> {
  const boot = source.disks.find((disk) => disk.boot) ?? source.disks[0];
  const ordered = [...source.disks].sort((a, b) => Number(b === boot) - Number(a === boot));
  const targets = await azure.disksOf(target.name);
  const compared: DiskComparison[] = [];
  for (const [index, { id, path, sizeBytes }] of ordered.entries()) {
    const diskId = targets[index];
    const [ofSource, ofTarget] = await Promise.all([
      hashFile(path, sizeBytes),
      diskId === undefined ? 'missing' : azure.hashDisk(diskId, sizeBytes),
    ]);
    compared.push({ disk: id, sizeBytes, source: ofSource, target: ofTarget, equal: ofSource === ofTarget });
  }
  return compared;
}

/** A committed wave's workloads with their disks compared; of any other wave, what was carried. */
export async function summarizeWorkloads(
  wave: WaveView,
  plan: WavePlan,
  compare: (workload: WavePlan['workloads'][number]) => Promise<DiskComparison[]>,
): Promise<WorkloadSummary[]> {
  return Promise.all(
    workloadsOf(wave).map(async ({ workloadId, method, totals, downtime }) => {
      const planned = plan.workloads.find((one) => one.workloadId === workloadId);
      const ended = downtime?.ended;
      return {
        workload: workloadId,
        method,
        ...totals,
        downtimeMs: ended === undefined ? undefined : Date.parse(ended) - Date.parse(downtime?.began ?? ended),
        disks: planned && wave.status === 'committed' ? await compare(planned) : [],
      };
    }),
  );
}

/** Committed, and every disk of every workload equal. */
export function hasPassed(wave: WaveView, workloads: WorkloadSummary[]): boolean {
  const equal = ({ disks }: WorkloadSummary) => disks.length > 0 && disks.every((disk) => disk.equal);
  return wave.status === 'committed' && workloads.length > 0 && workloads.every(equal);
}

/** Records as they were and as they are. */
export function dnsChanges(before: Map<string, string[]>, after: Map<string, string[]>): DnsChange[] {
  return [...before].map(([name, addresses]) => ({ name, before: addresses, after: after.get(name) ?? [] }));
}
