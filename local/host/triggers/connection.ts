// A binding's `connection` names settings: `<name>__<service member>` with a managed identity, or `<name>` with a
// connection string (https://learn.microsoft.com/azure/azure-functions/functions-reference#connections).
import { ManagedIdentityCredential } from '@azure/identity';
import type { Settings } from '../settings.ts';

export type Connection =
  | { kind: 'identity'; address: string; credential: ManagedIdentityCredential }
  | { kind: 'connectionString'; connectionString: string };

/** Resolves a connection; `member` is the setting that carries the address, such as `fullyQualifiedNamespace`. */
export function resolveConnection(name: string, member: string, settings: Settings, where: string): Connection {
  const setting = (suffix: string) => settings[`${name}__${suffix}`] ?? settings[`${name}:${suffix}`];
  const address = setting(member);
  if (address) {
    const clientId = setting('clientId');
    const credential = clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
    return { kind: 'identity', address, credential };
  }
  const connectionString = settings[name] ?? settings[`AzureWebJobs${name}`];
  if (connectionString) return { kind: 'connectionString', connectionString };
  throw new Error(`${where}: neither the setting "${name}__${member}" nor "${name}" exists.`);
}
