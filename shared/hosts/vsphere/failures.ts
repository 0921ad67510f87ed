// What vCenter says, as people can act on it.
import { type MigrationError, terminal, transient } from '../../errors.ts';
import { VcenterRefusal, VcenterSilence } from './client.ts';

/** Refusals that pass: https://developer.broadcom.com/xapis/vsphere-automation-api/latest/ names the first, its faults the others. */
const passing = new Set([
  ...['SERVICE_UNAVAILABLE', 'RESOURCE_BUSY', 'TIMED_OUT', 'CONCURRENT_CHANGE', 'INTERNAL_SERVER_ERROR'],
  ...['TaskInProgress', 'ResourceInUse', 'ConcurrentAccess', 'HostCommunication', 'HostNotConnected', 'Timedout'],
]);
const refused = new Set(['UNAUTHORIZED', 'NoPermission']);
const unauthenticated = new Set(['UNAUTHENTICATED', 'NotAuthenticated', 'InvalidLogin']);
const absent = new Set(['NOT_FOUND', 'ManagedObjectNotFound']);

/** Does something in a vCenter; turns what it says into failures. `what` is what it is done to. */
export async function inVcenter<T>(url: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(new URL(url).host, what, error);
  }
}

function failureOf(host: string, what: string, error: unknown): MigrationError | unknown {
  if (error instanceof VcenterSilence)
    return transient(
      'sourceUnreachable',
      `The vCenter ${host} did not do what it was asked about ${what}: ${error.message}.`,
      'Check that it is up and reachable from here, and that its certificate is trusted; it is tried again.',
    );
  if (!(error instanceof VcenterRefusal)) return error;
  const { kind, status, message } = error;
  if (unauthenticated.has(kind) || status === 401)
    return terminal(
      'unauthenticated',
      `The vCenter ${host} does not accept its user: ${message}.`,
      'Check the connection’s user and the setting with its password, then retry.',
    );
  if (refused.has(kind) || status === 403)
    return terminal(
      'forbidden',
      `The vCenter ${host} does not allow that for ${what}: ${message}.`,
      'Give the connection’s user the privilege (docs/hosts.md lists them), then retry.',
    );
  if (absent.has(kind) || status === 404)
    return terminal(
      'sourceUnreachable',
      `The vCenter ${host} does not have ${what}: ${message}.`,
      'Check the inventory and the environment against vCenter.',
    );
  if (passing.has(kind) || status === 429 || status === 503 || status === 504)
    return transient(
      'sourceUnreachable',
      `The vCenter ${host} cannot do that to ${what} now: ${message}.`,
      'Look at its recent tasks; it is tried again.',
    );
  return terminal(
    'sourceUnreachable',
    `The vCenter ${host} refused what it was asked about ${what}: ${message}.`,
    'Look at its events, then retry.',
  );
}
