// Which platform a source or a site is on, and what speaks to it. Each platform is a file or a folder beside this one; a
// host that nobody can ask (`byHand`) has none.
import { terminal } from '../errors.ts';
import type { Source } from '../model/source.ts';
import type { Connections } from './connections.ts';
import type { Host, Hosts } from './contract.ts';
import { labHost, labSite } from './lab.ts';
import { libvirtHost } from './libvirt/host.ts';
import { qemuHost } from './qemu/host.ts';

/** The implementations for every kind of host that can be asked. `connections` is the setting LANDFALL_HOSTS. */
export function createHosts(connections: Connections = {}): Hosts {
  const hosts = new Map(
    Object.entries(connections).map(([name, one]) => [name, { kind: one.kind, host: hostAt(one) }]),
  );
  return {
    of(source) {
      const { host } = source;
      if (host.kind === 'byHand') return undefined;
      if (host.kind === 'lab') return labHost;
      const found = hosts.get(host.connection);
      if (found?.kind === host.kind) return found.host;
      throw unknownConnection(source, host, found?.kind);
    },
    ofSite: ({ host }) => (host.kind === 'lab' ? labSite : undefined),
  };
}

function hostAt(connection: Connections[string]): Host {
  switch (connection.kind) {
    case 'qemu':
      return qemuHost(connection);
    case 'libvirt':
      return libvirtHost(connection);
  }
}

function unknownConnection({ id }: Source, { kind, connection }: { kind: string; connection: string }, is?: string) {
  return terminal(
    'invalidInput',
    is === undefined
      ? `The source "${id}" is on "${connection}", and the setting LANDFALL_HOSTS has no connection of that name.`
      : `The source "${id}" takes "${connection}" for ${kind}, and LANDFALL_HOSTS says that it is ${is}.`,
    'Correct the source’s host in the inventory, or the setting.',
  );
}
