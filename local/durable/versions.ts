// Orchestration versions, as host.json sets them up
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning): an instance
// keeps the version it was started with, and a host does not run instances that are not for it.
import type { InstanceRow } from './rows.ts';

export interface Versions {
  /** Given to orchestrations that are started without a version; also what this host is compared as. */
  default: string;
  match: 'None' | 'Strict' | 'CurrentOrOlder';
  /** Reject leaves the instance for a host that fits; Fail ends it as failed. */
  onMismatch: 'Reject' | 'Fail';
}

/** Why an instance is not for this host, or undefined when it is. */
export function versionMismatch(versions: Versions | undefined, { id, version = '' }: InstanceRow): string | undefined {
  if (!versions || versions.match === 'None') return undefined;
  const order = compareVersions(version, versions.default);
  if (order === 0 || (versions.match === 'CurrentOrOlder' && order < 0)) return undefined;
  const wanted = versions.match === 'Strict' ? 'exactly this version' : 'this version or older ones';
  return `The orchestration "${id}" has the version "${version}"; this host has "${versions.default}" and runs ${wanted} (host.json, versionMatchStrategy ${versions.match}).`;
}

/** Numbers between dots compare as numbers, anything else as text; no version is older than any. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  if (!left || !right) return a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0;
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

const numbers = (version: string): number[] | undefined =>
  /^\d+(\.\d+){1,3}$/.test(version) ? version.split('.').map(Number) : undefined;
