// How an appliance loses its rights, for good or until somebody enrols it again.
import type { Capabilities } from '../capabilities.ts';
import type { ApplianceDocument } from './documents.ts';

/** An appliance whose key and token mean nothing any more. */
export function withoutRights(appliance: ApplianceDocument): ApplianceDocument {
  const { publicKey: _publicKey, tokenHash: _tokenHash, tokenExpiresAt: _tokenExpiresAt, ...rest } = appliance;
  return { ...rest, status: 'revoked' };
}

/**
 * Takes an appliance's rights away, then its subscription, and forgets it (idempotent). It is forgotten last: whoever
 * finishes by hand what failed on the way revokes it by its name.
 */
export async function dismiss({ store, bus }: Pick<Capabilities, 'store' | 'bus'>, applianceId: string): Promise<void> {
  const known = await store.appliances.get(applianceId);
  if (known !== undefined) await store.appliances.put(withoutRights(known));
  await bus.removeSubscription(applianceId);
  await store.appliances.remove(applianceId);
}
