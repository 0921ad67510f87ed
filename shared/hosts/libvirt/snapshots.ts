// Frozen disks by libvirt's backup in pull mode: it fleeces as QEMU can, and shows the frozen disks over NBD.
// https://www.libvirt.org/formatbackup.html
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashOf } from '../../hash.ts';
import { terminal } from '../../errors.ts';
import type { Source } from '../../model/source.ts';
import type { Snapshots } from '../contract.ts';
import { domainOf } from './domain.ts';
import type { Virsh } from './virsh.ts';

/** Snapshots of running domains. `scratch` is a folder of the hypervisor’s. */
export function libvirtSnapshots(virsh: Virsh, scratch: string): Snapshots {
  const socketOf = (source: Source, name: string): string =>
    join(scratch, `landfall-${hashOf([source.id, name]).slice(0, 16)}.nbd`);
  /** What the domain's running backup is, as XML; undefined if there is none. */
  const running = async (domain: string): Promise<string | undefined> =>
    /^Job type:\s+None/m.test(await virsh('domjobinfo', domain)) ? undefined : virsh('backup-dumpxml', domain);
  return {
    async take(source, name) {
      const domain = domainOf(source);
      const socket = socketOf(source, name);
      const held = await running(domain);
      if (held !== undefined && !held.includes(socket))
        throw terminal('conflict', `Another backup of ${domain} is running.`, 'Wait until it has ended, then retry.');
      if (held === undefined) await begin(virsh, domain, backupOf(source, socket, scratch));
      return source.disks.map(({ id }) => ({ id, at: { nbd: `nbd+unix:///${id}?socket=${socket}` } }));
    },
    async release(source, name) {
      const domain = domainOf(source);
      if ((await running(domain))?.includes(socketOf(source, name)) === true) await virsh('domjobabort', domain);
    },
  };
}

/** virsh reads the description from a file. */
async function begin(virsh: Virsh, domain: string, xml: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'landfall-backup-'));
  try {
    const file = join(folder, 'backup.xml');
    await writeFile(file, xml);
    await virsh('backup-begin', domain, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Everything in it is an id of ours or a path of a setting: nothing needs escaping in XML. */
function backupOf({ disks }: Source, socket: string, scratch: string): string {
  const each = disks.map(({ id, atHost = id }) => {
    const file = join(scratch, `landfall-${hashOf([socket, id]).slice(0, 16)}.qcow2`);
    return `<disk name="${atHost}" backup="yes" type="file" exportname="${id}"><scratch file="${file}"/></disk>`;
  });
  return `<domainbackup mode="pull"><server transport="unix" socket="${socket}"/><disks>${each.join('')}</disks></domainbackup>`;
}
