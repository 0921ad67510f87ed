import { terminal } from '../../errors.ts';
import type { Source } from '../../model/source.ts';

/** What libvirt calls a source. */
export function domainOf({ id, host }: Source): string {
  if (host.kind === 'libvirt') return host.domain;
  throw terminal('invalidInput', `The source "${id}" is no domain of libvirt.`, 'Use the implementation for its kind.');
}
