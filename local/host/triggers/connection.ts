// A binding's `connection` names settings: `<name>__<service member>` with a managed identity, or `<name>` with a
// connection string (https://learn.microsoft.com/azure/azure-functions/functions-reference#connections).
import { ManagedIdentityCredential } from '@azure/identity';
import { findSetting, type Settings } from '../settings.ts';

export type Connection =
  | { kind: 'identity'; address: string; credential: ManagedIdentityCredential }
  | { kind: 'connectionString'; connectionString: string };

/**
 * Resolves a connection; `member` is the setting that carries the address, such as `fullyQualifiedNamespace`. Where to look,
 * and that a connection string comes first, is that of WebJobsConfigurationExtensions.cs and ServiceBusClientFactory.cs in
 * https://github.com/Azure/azure-sdk-for-net.
 */
export function resolveConnection(name: string, member: string, settings: Settings, where: string): Connection {
  for (const section of [`AzureWebJobs${name}`, name]) {
    const connectionString = findSetting(settings, `ConnectionStrings__${section}`) || findSetting(settings, section);
    // Its value stays untold: it may be a key.
    if (connectionString && !connectionString.includes('='))
      throw new Error(`${where}: the setting "${section}" is no connection string.`);
    if (connectionString) return { kind: 'connectionString', connectionString };
    const address = findSetting(settings, `${section}__${member}`);
    if (!address) continue;
    const clientId = findSetting(settings, `${section}__clientId`);
    const credential = clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
    return { kind: 'identity', address, credential };
  }
  // What looks like a connection string holds a key, which has no place in a log.
  if (name.includes('='))
    throw new Error(`${where}: its connection is a connection string; write the name of the setting that holds it.`);
  throw new Error(`${where}: neither the setting "${name}__${member}" nor "${name}" exists.`);
}
