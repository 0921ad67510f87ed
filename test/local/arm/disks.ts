// Disk images for tests: a fixed VHD made by hand, and an ext4 filesystem made by mke2fs.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ArmOptions } from '../../../local/arm/main.ts';

export const mebibyte = 1024 * 1024;

/** Content followed by the footer of a fixed VHD, written out field by field. */
export function vhdOf(content: Buffer, change: (footer: Buffer) => void = () => undefined): Buffer {
  const footer = Buffer.alloc(512);
  footer.write('conectix');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(65536, 12);
  footer.fill(0xff, 16, 24);
  footer.writeBigUInt64BE(BigInt(content.length), 40);
  footer.writeBigUInt64BE(BigInt(content.length), 48);
  footer.writeUInt32BE(2, 60);
  let sum = 0;
  for (const byte of footer) sum += byte;
  footer.writeUInt32BE(~sum >>> 0, 64);
  change(footer);
  return Buffer.concat([content, footer]);
}

/** A small Linux root, in an ext4 filesystem; with `gap` it is the first partition of an MBR disk, that many bytes in. */
export function linuxDisk(files: Record<string, string>, gap = 0): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-root-'));
  try {
    const root = join(folder, 'root');
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path));
      else writeFileSync(join(root, path), content);
    }
    const image = join(folder, 'image');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, image, '4M']);
    if (!gap) return readFileSync(image);
    const mbr = Buffer.alloc(gap);
    mbr[450] = 0x83;
    mbr.writeUInt32LE(gap / 512, 454);
    mbr.writeUInt32LE((4 * mebibyte) / 512, 458);
    mbr.writeUInt16LE(0xaa55, 510);
    return Buffer.concat([mbr, readFileSync(image)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Blobs that are files. */
export function blobStore(): {
  put(name: string, content: Buffer): string;
  openBlob: ArmOptions['openBlob'];
  remove(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-blobs-'));
  const base = 'https://localhost:1/staging/points/';
  return {
    put(name, content) {
      writeFileSync(join(folder, name), content);
      return `${base}${name}`;
    },
    async openBlob(url) {
      const path = join(folder, (url.split('?')[0] ?? '').slice(base.length));
      return { size: statSync(path).size, copyTo: async (to) => copyFileSync(path, to) };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
