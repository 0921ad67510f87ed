// What appliances say about themselves: that they live, that they stop, how a command to them went.
import type { Capabilities } from '../../shared/capabilities.ts';
import { msBetween } from '../../shared/policy/duration.ts';
import type { ApplianceEvent } from '../../shared/protocol/events.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';

/** Heartbeats that say nothing new are written down at most this often. */
const writtenEveryMs = 5000;

/** Handles one appliance's events of one batch, in order. Repeatable. */
export async function ownEvents(
  { store, now }: Pick<Capabilities, 'store' | 'now'>,
  applianceId: string,
  events: readonly ApplianceEvent[],
): Promise<void> {
  const appliance = await store.appliances.get(applianceId);
  if (appliance === undefined) return;
  for (const { type, data, operationid } of events)
    if (operationid !== undefined && (type === 'landfall.worker.verified' || type === 'landfall.command.failed'))
      await store.signals.toEnvironment(appliance.environmentId, { operationId: operationid, type, data, at: now() });

  const last = events.findLast(
    ({ type }) => type === 'landfall.appliance.heartbeat' || type === 'landfall.appliance.stopping',
  );
  if (last?.type === 'landfall.appliance.stopping')
    await store.appliances.change(applianceId, (current) =>
      current.status === 'healthy' ? { ...current, status: 'silent' } : undefined,
    );
  if (last?.type !== 'landfall.appliance.heartbeat') return;

  const { version, bootId } = last.data;
  if (appliance.operationId !== undefined)
    // Before the document says so: a crash in between repeats the signal, which is created once.
    await store.signals.toEnvironment(appliance.environmentId, {
      operationId: appliance.operationId,
      type: 'landfall.appliance.healthy',
      data: { applianceId, version },
      at: now(),
    });
  const told = appliance.operationId;
  await store.appliances.change(applianceId, (current) => alive(current, { version, bootId, at: now(), told }));
}

/** When it was heard is the platform's time: an appliance's clock may be wrong. */
function alive(
  current: ApplianceDocument,
  { version, bootId, at, told }: { version: string; bootId: string; at: string; told: string | undefined },
): ApplianceDocument | undefined {
  if (current.status === 'revoked') return undefined;
  // It has come: the one-time token is spent.
  const { operationId, tokenHash, tokenExpiresAt: _expires, ...rest } = current;
  const waiting = operationId === undefined || operationId === told ? {} : { operationId };
  const same =
    current.status === 'healthy' &&
    current.version === version &&
    current.bootId === bootId &&
    operationId === undefined &&
    tokenHash === undefined;
  if (same && msBetween(current.heardAt ?? '1970-01-01T00:00:00.000Z', at) < writtenEveryMs) return undefined;
  return { ...rest, ...waiting, status: 'healthy', version, bootId, heardAt: at };
}
