// What a guest is made of: Debian's kernel for virtual machines, BusyBox and GRUB, fetched through apt once and unpacked
// beside node_modules. Nothing is installed on this machine.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../../examples/harness/processes.ts';
import { run } from '../../appliance/nbd/servers.ts';

const kernelPackage = 'linux-image-cloud-amd64';
const packages = ['busybox-static', 'grub-common', 'grub-pc-bin'];

/** The folder with what the packages hold. Needs Debian, its package lists (`apt-get update`), and the network the first time. */
export function unpackedPackages(): string {
  const folder = join(repository, 'node_modules', '.cache', 'landfall-guest');
  if (existsSync(folder)) return folder;
  const making = `${folder}.new`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const kernel = /Depends: (linux-image-\S+)/.exec(run('apt-cache', 'depends', kernelPackage))?.[1];
  if (kernel === undefined) throw new Error(`apt knows no ${kernelPackage}: run apt-get update`);
  for (const name of [...packages, kernel]) {
    // apt downloads into the folder that it runs in.
    run('env', '-C', making, 'apt-get', 'download', '-q', name);
  }
  for (const file of readdirSync(making).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', '--extract', join(making, file), making);
    rmSync(join(making, file));
  }
  renameSync(making, folder);
  return folder;
}
