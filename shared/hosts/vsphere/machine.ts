import { terminal } from '../../errors.ts';
import type { Source } from '../../model/source.ts';

/** What vCenter calls a source. */
export function vmOf({ id, host }: Source): string {
  if (host.kind === 'vsphere') return host.vm;
  throw terminal('invalidInput', `The source "${id}" is in no vCenter.`, 'Use the implementation for its kind.');
}

/** The inventory's id of a disk, or its key in vCenter. */
export function idOf(source: Source, key: string): string {
  return source.disks.find(({ id, atHost = id }) => atHost === key)?.id ?? key;
}
