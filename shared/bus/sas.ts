// Shared access signatures, made by hand because the SDKs only use them, never issue them
// (https://learn.microsoft.com/rest/api/eventhub/generate-sas-token).
import { createHmac } from 'node:crypto';

export interface SharedAccessRule {
  name: string;
  key: string;
}

/** A token for one entity and what lies under it, such as `appliance-commands/Subscriptions/worker-1`. */
export function sasToken(host: string, entity: string, rule: SharedAccessRule, expiresAt: Date): string {
  const resource = encodeURIComponent(`sb://${host}/${entity}`);
  const expiry = Math.floor(expiresAt.getTime() / 1000);
  const signature = createHmac('sha256', rule.key).update(`${resource}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${rule.name}`;
}
