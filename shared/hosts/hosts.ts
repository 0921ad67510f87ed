// Which platform a source or a site is on, and what speaks to it. Each platform is a file or a folder beside this one; a
// host that nobody can ask (`byHand`) has none.
import { terminal } from '../errors.ts';
import type { Source } from '../model/source.ts';
import type { Connections } from './connections.ts';
import type { Host, Hosts } from './contract.ts';
import { labHost, labSite } from './lab.ts';
import { libvirtHost } from './libvirt/host.ts';
import { qemuHost } from './qemu/host.ts';
import { vcenterAt } from './vsphere/client.ts';
import { vsphereHost } from './vsphere/host.ts';

/** Reads a setting that a connection names for its secret. */
type SecretOf = (setting: string) => string | undefined;

/** The implementations for every kind of host that can be asked. `connections` is the setting LANDFALL_HOSTS. */
export function createHosts(connections: Connections = {}, secretOf: SecretOf = () => undefined): Hosts {
  const hosts = new Map(
    Object.entries(connections).map(([name, one]) => [name, { kind: one.kind, host: hostAt(name, one, secretOf) }]),
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

function hostAt(name: string, connection: Connections[string], secretOf: SecretOf): Host {
  switch (connection.kind) {
    case 'qemu':
      return qemuHost(connection);
    case 'libvirt':
      return libvirtHost(connection);
    case 'vsphere': {
      const { passwordSetting } = connection;
      const password = () => secretOf(passwordSetting) ?? missing(name, passwordSetting);
      return vsphereHost(connection, vcenterAt(connection, password));
    }
  }
}

function missing(name: string, setting: string): never {
  throw terminal(
    'invalidInput',
    `The connection "${name}" takes its password from the setting ${setting}, which is not there.`,
    'Set it, in Azure as a Key Vault reference; then retry.',
  );
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
