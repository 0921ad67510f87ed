// The command that starts a sync of the one disk of workload `web`, as the app sends it.
import type { CommandData } from '../../shared/protocol/commands.ts';

export function startSync(
  syncId: string,
  kind: 'initial' | 'delta' | 'final',
  disk: { path: string; sizeBytes: number },
  rest: object = {},
) {
  const data = {
    waveId: 'wave',
    workloadId: 'web',
    syncId,
    kind,
    verify: 'written',
    disks: [{ diskId: 'os', ...disk, blobName: 'os.vhd' }],
    ...rest,
  } as CommandData<'landfall.sync.start'>;
  return { type: 'landfall.sync.start' as const, operationId: `prepare-wave.web-1:${syncId}`, data };
}
