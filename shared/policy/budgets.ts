import type { SyncKind } from '../lifecycle/state.ts';

export interface QueuedSync {
  key: string;
  applianceId: string;
  kind: SyncKind;
  queuedAt: string;
}

export interface SyncLimits {
  perAppliance: number;
}

/** A final sync holds an outage, an initial one holds a wave, a delta can wait. */
const priority: Readonly<Record<SyncKind, number>> = { final: 0, initial: 1, delta: 2 };

/** The queued syncs that may start now, in order: by kind, then by age, within what each appliance can run at once. */
export function admit<Q extends QueuedSync>(
  queued: readonly Q[],
  running: readonly { applianceId: string }[],
  limits: SyncLimits,
): Q[] {
  const load = new Map<string, number>();
  for (const { applianceId } of running) load.set(applianceId, (load.get(applianceId) ?? 0) + 1);
  return [...queued].sort(before).filter(({ applianceId }) => {
    const busy = load.get(applianceId) ?? 0;
    if (busy >= limits.perAppliance) return false;
    load.set(applianceId, busy + 1);
    return true;
  });
}

function before(a: QueuedSync, b: QueuedSync): number {
  return (
    priority[a.kind] - priority[b.kind] || Date.parse(a.queuedAt) - Date.parse(b.queuedAt) || (a.key < b.key ? -1 : 1)
  );
}
