// Machines that libvirt manages: QEMU, Xen and whatever else it has a driver for.
import type { Source } from '../../model/source.ts';
import type { LibvirtConnection } from '../connections.ts';
import type { Host } from '../contract.ts';
import { domainOf } from './domain.ts';
import { libvirtSnapshots } from './snapshots.ts';
import { type Virsh, virshAt } from './virsh.ts';

/** The host of the machines behind one libvirt. */
export function libvirtHost(connection: LibvirtConnection): Host {
  const virsh = virshAt(connection.connect);
  const { scratch } = connection;
  return {
    async inspect(source) {
      const domain = domainOf(source);
      const links: boolean[] = [];
      for (const mac of await nicsOf(virsh, domain)) links.push(await isUp(virsh, domain, mac));
      return {
        power: (await isOff(virsh, domain)) ? 'off' : 'on',
        nicConnected: links.includes(true),
        disks: await disksOf(virsh, domain, source),
      };
    },
    async shutDown(source) {
      const domain = domainOf(source);
      if (!(await isOff(virsh, domain))) await virsh('shutdown', domain);
    },
    async powerOff(source) {
      const domain = domainOf(source);
      if (!(await isOff(virsh, domain))) await virsh('destroy', domain);
    },
    async powerOn(source) {
      const domain = domainOf(source);
      if (await isOff(virsh, domain)) await virsh('start', domain);
    },
    async setNic(source, connected) {
      const domain = domainOf(source);
      // Of a domain that is off this changes how it will be started.
      for (const mac of await nicsOf(virsh, domain))
        await virsh('domif-setlink', domain, mac, connected ? 'up' : 'down');
    },
    ...(scratch === undefined ? {} : { snapshots: libvirtSnapshots(virsh, scratch) }),
  };
}

async function isOff(virsh: Virsh, domain: string): Promise<boolean> {
  return (await virsh('domstate', domain)).trim() === 'shut off';
}

/** MAC addresses: the only names of interfaces that every driver has. */
async function nicsOf(virsh: Virsh, domain: string): Promise<string[]> {
  const table = await virsh('domiflist', domain);
  return [...table.matchAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi)].map(([mac]) => mac);
}

async function isUp(virsh: Virsh, domain: string, mac: string): Promise<boolean> {
  return !(await virsh('domif-getlink', domain, mac)).trim().endsWith('down');
}

/** Disks by their target (`vda`) or by the inventory's id for it. */
async function disksOf(virsh: Virsh, domain: string, source: Source): Promise<{ id: string; sizeBytes: number }[]> {
  const disks: { id: string; sizeBytes: number }[] = [];
  for (const line of (await virsh('domblklist', domain, '--details')).split('\n')) {
    const [, device, target] = line.trim().split(/\s+/);
    if (device !== 'disk' || target === undefined) continue;
    const capacity = /^Capacity:\s+(\d+)$/m.exec(await virsh('domblkinfo', domain, target))?.[1];
    disks.push({ id: idOf(source, target), sizeBytes: Number(capacity) });
  }
  return disks;
}

/** The inventory's id of a disk, or what the host calls it. */
function idOf(source: Source, target: string): string {
  return source.disks.find(({ id, atHost = id }) => atHost === target)?.id ?? target;
}
