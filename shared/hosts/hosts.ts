// Which platform a source or a site is on, and what speaks to it. Each platform is one file beside this one; a host
// that nobody can ask (`byHand`) has none.
import { terminal } from '../errors.ts';
import type { Hosts } from './contract.ts';
import { labHost, labSite } from './lab.ts';

/** The implementations for every kind of host that can be asked. */
export function createHosts(): Hosts {
  return {
    of({ id, host }) {
      if (host.kind === 'lab') return labHost;
      throw byHand(`The source "${id}"`);
    },
    ofSite({ id, host }) {
      if (host.kind === 'lab') return labSite;
      throw byHand(`The site "${id}"`);
    },
  };
}

function byHand(what: string) {
  return terminal(
    'invalidInput',
    `${what} has no host interface: it is handled by hand.`,
    'Give it a host connection in the inventory.',
  );
}
