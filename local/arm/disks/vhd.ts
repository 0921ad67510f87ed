// The fixed VHD: the disk's bytes and a 512-byte footer.
// https://learn.microsoft.com/windows-server/virtualization/hyper-v/virtual-hard-disk-format ("VHD Specification")
import { badRequest } from '../http/errors.ts';

export const footerSize = 512;
const mebibyte = 1024 * 1024;
const fixed = 2;

/** Throws what Azure would fail an import with: no cookie, wrong type, wrong checksum or an odd size. */
export function checkFooter(footer: Buffer, blobSize: number, url: string): void {
  const size = blobSize - footerSize;
  const refuse = (why: string): never => {
    throw badRequest('InvalidVhd', `The source blob '${url}' is not a valid fixed VHD: ${why}`);
  };
  if (footer.toString('latin1', 0, 8) !== 'conectix')
    refuse("its last 512 bytes do not begin with the cookie 'conectix'.");
  if (footer.readUInt32BE(60) !== fixed) refuse(`its disk type is ${footer.readUInt32BE(60)}, not fixed (2).`);
  if (footer.readUInt32BE(64) !== checksum(footer)) refuse('the checksum of its footer is wrong.');
  if (Number(footer.readBigUInt64BE(48)) !== size) refuse('the size in its footer is not the size of its content.');
  if (size === 0 || size % mebibyte !== 0) refuse(`its size of ${size} bytes is not a multiple of 1 MiB.`);
}

/** The footer of a disk that is handed out as a VHD. `id` is 16 bytes. */
export function makeFooter(size: number, id: Buffer): Buffer {
  const footer = Buffer.alloc(footerSize);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8); // features: reserved bit
  footer.writeUInt32BE(0x00010000, 12); // version
  footer.writeBigUInt64BE(0xffffffffffffffffn, 16); // data offset: none
  footer.write('lfal', 28, 'latin1');
  footer.writeUInt32BE(0x00010000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(size), 40);
  footer.writeBigUInt64BE(BigInt(size), 48);
  const { cylinders, heads, sectors } = geometry(Math.floor(size / 512));
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(fixed, 60);
  id.copy(footer, 68, 0, 16);
  footer.writeUInt32BE(checksum(footer), 64);
  return footer;
}

/** One's complement of the sum of all bytes, the checksum's own taken as zero. */
function checksum(footer: Buffer): number {
  let sum = 0;
  for (const [index, byte] of footer.entries()) if (index < 64 || index >= 68) sum += byte;
  return ~sum >>> 0;
}

/** The CHS geometry of the specification's appendix. */
function geometry(total: number): { cylinders: number; heads: number; sectors: number } {
  const sectorsTotal = Math.min(total, 65535 * 16 * 255);
  if (sectorsTotal >= 65535 * 16 * 63)
    return { cylinders: Math.floor(sectorsTotal / 255 / 16), heads: 16, sectors: 255 };
  let sectors = 17;
  let heads = Math.max(4, Math.floor((Math.floor(sectorsTotal / sectors) + 1023) / 1024));
  if (Math.floor(sectorsTotal / sectors) >= heads * 1024 || heads > 16) {
    sectors = 31;
    heads = 16;
  }
  if (Math.floor(sectorsTotal / sectors) >= heads * 1024) {
    sectors = 63;
    heads = 16;
  }
  return { cylinders: Math.floor(sectorsTotal / sectors / heads), heads, sectors };
}
