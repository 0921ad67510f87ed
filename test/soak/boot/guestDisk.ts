// The disk of a small Linux server, made without mounting: an MBR with GRUB, and one ext4 partition with Debian's kernel, an
// initramfs and BusyBox. It boots from itself by any PC's BIOS.
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../../appliance/nbd/servers.ts';
import { unpackedPackages } from './packages.ts';

const MIB = 2 ** 20;
const partitionAt = MIB;
export const guestDiskBytes = 96 * MIB;

/** In the order in which they need each other. */
const modules = [
  'virtio/virtio_ring',
  'virtio/virtio',
  'virtio/virtio_pci_legacy_dev',
  'virtio/virtio_pci_modern_dev',
  'virtio/virtio_pci',
  'block/virtio_blk',
  'net/virtio_net',
  'acpi/button',
  'input/evdev',
];

/** Makes the disk of a server of this name. */
export function makeServerDisk(path: string, hostName: string, folder: string): void {
  const unpacked = unpackedPackages();
  const root = join(folder, 'root');
  cpSync(join(import.meta.dirname, 'guest', 'root'), root, { recursive: true });
  for (const name of ['bin', 'boot/grub', 'dev', 'proc', 'sys', 'tmp', 'sbin', 'var/lib/journal'])
    mkdirSync(join(root, name), { recursive: true });
  installBusybox(unpacked, join(root, 'bin'));
  symlinkSync('/bin/busybox', join(root, 'sbin', 'init'));
  writeFileSync(join(root, 'etc', 'hostname'), `${hostName}\n`);
  writeFileSync(join(root, 'var/lib/journal/data'), randomBytes(16 * MIB));
  const [kernel = ''] = readdirSync(join(unpacked, 'boot')).filter((name) => name.startsWith('vmlinuz'));
  copyFileSync(join(unpacked, 'boot', kernel), join(root, 'boot', 'vmlinuz'));
  makeInitramfs(unpacked, folder, join(root, 'boot', 'initrd'));
  const partition = join(folder, 'partition.img');
  // What GRUB 2.06 does not read, and Debian's mke2fs of later releases makes, is left out.
  run('mke2fs', '-q', '-t', 'ext4', '-O', '^metadata_csum_seed', '-d', root, partition, `${guestDiskBytes / MIB - 2}M`);
  writeFileSync(path, '');
  truncateSync(path, guestDiskBytes);
  const disk = openSync(path, 'r+');
  writeSync(disk, bootRecord(unpacked), 0, undefined, 0);
  writeSync(disk, grubCore(unpacked, folder), 0, undefined, 512);
  writeSync(disk, readFileSync(partition), 0, undefined, partitionAt);
  closeSync(disk);
}

function installBusybox(unpacked: string, bin: string): void {
  const busybox = join(unpacked, 'bin', 'busybox');
  copyFileSync(busybox, join(bin, 'busybox'));
  for (const name of run(busybox, '--list').split('\n'))
    if (name !== '' && name !== 'busybox') symlinkSync('busybox', join(bin, name));
}

function makeInitramfs(unpacked: string, folder: string, path: string): void {
  const tree = join(folder, 'initramfs');
  const [release = ''] = readdirSync(join(unpacked, 'lib', 'modules'));
  const kernel = join(unpacked, 'lib', 'modules', release, 'kernel');
  for (const name of ['bin', 'dev', 'lib', 'root']) mkdirSync(join(tree, name), { recursive: true });
  copyFileSync(join(unpacked, 'bin', 'busybox'), join(tree, 'bin', 'busybox'));
  copyFileSync(join(import.meta.dirname, 'guest', 'initramfs', 'init'), join(tree, 'init'));
  chmodSync(join(tree, 'init'), 0o755);
  const found = ['net/core/failover', 'drivers/net/net_failover', ...modules.map((name) => `drivers/${name}`)];
  const names = found.map((name, at) => {
    const file = `${String(at).padStart(2, '0')}.ko`;
    copyFileSync(join(kernel, `${name}.ko`), join(tree, 'lib', file));
    return file;
  });
  const list = ['.', 'init', 'bin', 'bin/busybox', 'dev', 'lib', 'root', ...names.map((name) => `lib/${name}`)];
  const archive = execFileSync(join(unpacked, 'bin', 'busybox'), ['cpio', '-o', '-H', 'newc'], {
    cwd: tree,
    input: `${list.join('\n')}\n`,
    maxBuffer: 64 * MIB,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  writeFileSync(path, archive);
}

/** GRUB's first sector, which loads the sector after it, and a table with one partition. */
function bootRecord(unpacked: string): Buffer {
  const record = Buffer.alloc(512);
  readFileSync(join(unpacked, 'usr/lib/grub/i386-pc/boot.img')).copy(record, 0, 0, 440);
  record[446] = 0x80;
  record[450] = 0x83;
  record.writeUInt32LE(partitionAt / 512, 454);
  record.writeUInt32LE((guestDiskBytes - 2 * MIB) / 512, 458);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

/** The rest of GRUB, made to lie right behind: https://www.gnu.org/software/grub/manual/grub/html_node/Images.html */
function grubCore(unpacked: string, folder: string): Buffer {
  const core = join(folder, 'core.img');
  run(
    join(unpacked, 'usr/bin/grub-mkimage'),
    ...['-O', 'i386-pc', '-d', join(unpacked, 'usr/lib/grub/i386-pc'), '-p', '(hd0,msdos1)/boot/grub', '-o', core],
    ...['biosdisk', 'part_msdos', 'ext2', 'normal', 'configfile', 'linux', 'serial', 'terminal'],
  );
  const image = readFileSync(core);
  if (image.length > partitionAt - 512) throw new Error('GRUB does not fit before the partition');
  return image;
}
