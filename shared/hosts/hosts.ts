// Which platform a source or a site is on, and what speaks to it. Each platform is a file or a folder beside this one; a
// host that nobody can ask (`byHand`) has none.
import { terminal } from '../errors.ts';
import type { Connections } from './connections.ts';
import type { Host, Hosts, SiteHost } from './contract.ts';
import { labHost, labSite } from './lab.ts';
import { libvirtHost } from './libvirt/host.ts';
import { qemuHost } from './qemu/host.ts';
import { vcenterAt } from './vsphere/client.ts';
import { vsphereHost } from './vsphere/host.ts';
import { vsphereSite } from './vsphere/site.ts';

/** Reads a setting that a connection names for its secret. */
type SecretOf = (setting: string) => string | undefined;

/** The implementations for every kind of host that can be asked. `connections` is the setting LANDFALL_HOSTS. */
export function createHosts(connections: Connections = {}, secretOf: SecretOf = () => undefined): Hosts {
  const reached = new Map(Object.entries(connections).map(([name, one]) => [name, reach(name, one, secretOf)]));
  const behind = (what: string, { kind, connection }: { kind: string; connection: string }): Reached => {
    const found = reached.get(connection);
    if (found?.kind === kind) return found;
    throw unknownConnection(what, kind, connection, found?.kind);
  };
  return {
    of({ id, host }) {
      if (host.kind === 'byHand') return undefined;
      return host.kind === 'lab' ? labHost : behind(`The source "${id}"`, host).host;
    },
    ofSite({ id, host }) {
      if (host.kind === 'byHand') return undefined;
      return host.kind === 'lab' ? labSite : behind(`The site "${id}"`, host).site;
    },
  };
}

interface Reached {
  kind: Connections[string]['kind'];
  host: Host;
  /** Absent where a connection offers nothing for workers. */
  site?: SiteHost;
}

function reach(name: string, connection: Connections[string], secretOf: SecretOf): Reached {
  const { kind } = connection;
  switch (kind) {
    case 'qemu':
      return { kind, host: qemuHost(connection) };
    case 'libvirt':
      return { kind, host: libvirtHost(connection) };
    case 'vsphere': {
      const { passwordSetting } = connection;
      const vcenter = vcenterAt(connection, () => secretOf(passwordSetting) ?? missing(name, passwordSetting));
      return { kind, host: vsphereHost(connection, vcenter), site: vsphereSite(connection, vcenter) };
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

function unknownConnection(what: string, kind: string, connection: string, is: string | undefined) {
  return terminal(
    'invalidInput',
    is === undefined
      ? `${what} is on "${connection}", and the setting LANDFALL_HOSTS has no connection of that name.`
      : `${what} takes "${connection}" for ${kind}, and LANDFALL_HOSTS says that it is ${is}.`,
    'Correct the host in the inventory or the environment, or the setting.',
  );
}
