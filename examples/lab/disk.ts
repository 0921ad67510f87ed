// Makes the disks of an example: a sparse raw image with an MBR, one Linux partition at 1 MiB, and in it an ext4 with
// real files. It is no installed operating system: it has no kernel and no boot loader, and nothing here says it does.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { partitionOffset } from './debugfs.ts';

const execute = promisify(execFile);
const sector = 512;

/** Makes the image at `path`, of whole MiB, holding what the folder `files` holds. */
export async function makeDisk(
  path: string,
  { sizeBytes, files }: { sizeBytes: number; files: string },
): Promise<void> {
  if (sizeBytes % 2 ** 20 !== 0 || sizeBytes < 16 * 2 ** 20) throw new Error('A disk has whole MiB, at least 16');
  await mkdir(dirname(path), { recursive: true });
  const image = await open(path, 'w');
  try {
    await image.truncate(sizeBytes);
    await image.write(masterBootRecord(sizeBytes), 0, sector, 0);
  } finally {
    await image.close();
  }
  const blocks = (sizeBytes - partitionOffset) / 4096;
  const options = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-E', `offset=${partitionOffset},root_owner=0:0`];
  await execute('mke2fs', [...options, '-d', files, path, String(blocks)]);
}

/** One active partition of type 0x83 from 1 MiB to the end. https://en.wikipedia.org/wiki/Master_boot_record */
function masterBootRecord(sizeBytes: number): Buffer {
  const record = Buffer.alloc(sector);
  record.writeUInt8(0x80, 446);
  record.fill(0xff, 447, 450);
  record.writeUInt8(0x83, 450);
  record.fill(0xff, 451, 454);
  record.writeUInt32LE(partitionOffset / sector, 454);
  record.writeUInt32LE((sizeBytes - partitionOffset) / sector, 458);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

/** Fills a folder with what a small server has: who it is, an application, text, and bytes that don't compress. */
export async function writeServerFiles(
  folder: string,
  server: { hostName: string; service: string; textBytes: number; randomBytes: number },
): Promise<void> {
  const write = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  await write('etc/hostname', `${server.hostName}\n`);
  await write(
    'etc/os-release',
    'NAME="Landfall Lab Linux"\nID=landfall-lab\nVERSION_ID="1"\nPRETTY_NAME="Landfall Lab Linux (simulated)"\n',
  );
  await write('etc/fstab', '/dev/sda1 / ext4 defaults 0 1\n');
  await write(`opt/${server.service}/config.ini`, `[${server.service}]\nhost=${server.hostName}\n`);
  const chunk = 4 * 2 ** 20;
  for (let written = 0, part = 0; written < server.randomBytes; written += chunk, part++) {
    await write(`opt/${server.service}/blob-${part}.bin`, randomBytes(Math.min(chunk, server.randomBytes - written)));
  }
  const line = (number: number) =>
    `${number} the ${server.service} of ${server.hostName} noted one more ordinary event\n`;
  let text = '';
  for (let number = 0; text.length < server.textBytes; number++) text += line(number);
  await write(`var/log/${server.service}.log`, text.slice(0, server.textBytes));
}
