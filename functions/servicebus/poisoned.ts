// Messages that no attempt could bring into the store: kept with their reason, so that the dead-letter queue stays empty
// and nothing is lost.
import type { Capabilities } from '../../shared/capabilities.ts';
import { claimedSender } from '../../shared/protocol/signing.ts';
import { quarantined, type Received, textOf } from './quarantine.ts';

export async function poisoned(
  { store, now }: Pick<Capabilities, 'store' | 'now'>,
  received: Received,
  reason: string,
): Promise<void> {
  const source = (claimedSender(textOf(received.body)) ?? 'unknown').slice(0, 100);
  await store.quarantine.put(quarantined(received, { source, code: 'poisoned', reason }, now()));
}
