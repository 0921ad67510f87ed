// The fixed VHD that every staging blob is: the disk's bytes, zero-filled to whole MiB, and one 512-byte footer.
// Azure imports a managed disk from nothing else:
// https://learn.microsoft.com/azure/virtual-machines/windows/prepare-for-upload-vhd-image
// Layout of the footer: "Virtual Hard Disk Image Format Specification", Microsoft, 2006, "Hard Disk Footer Format".
// Deterministic: the same size and name always give the same bytes, so that a repeated step writes what is there.

const MIB = 2 ** 20;
const SECTOR = 512;
export const vhdFooterBytes = 512;

/** Size of the disk inside the VHD: the source's bytes rounded up to 1 MiB. */
export function vhdDiskSizeOf(sourceBytes: number): number {
  return Math.ceil(sourceBytes / MIB) * MIB;
}

/** Size of the whole VHD, and so of its page blob. */
export function vhdSizeOf(sourceBytes: number): number {
  return vhdDiskSizeOf(sourceBytes) + vhdFooterBytes;
}

/** The footer of a fixed VHD for a source of `sizeBytes`. `name` (the blob's) only makes the unique id differ. */
export function fixedVhdFooter(sizeBytes: number, name = ''): Uint8Array {
  const size = vhdDiskSizeOf(sizeBytes);
  const footer = new Uint8Array(vhdFooterBytes);
  const view = new DataView(footer.buffer);
  writeText(footer, 0, 'conectix');
  view.setUint32(8, 2); // features: the reserved bit that is always set
  view.setUint32(12, 0x0001_0000); // format version 1.0
  view.setBigUint64(16, 0xffff_ffff_ffff_ffffn); // a fixed disk has no dynamic header
  view.setUint32(24, 0); // timestamp: the epoch, to stay deterministic
  // Readers such as QEMU (block/vpc.c) take the size from the geometry, which is rounded, unless they know the creator.
  writeText(footer, 28, 'win ');
  view.setUint32(32, 0x000a_0000);
  writeText(footer, 36, 'Wi2k');
  view.setBigUint64(40, BigInt(size));
  view.setBigUint64(48, BigInt(size));
  const { cylinders, heads, sectorsPerTrack } = geometryOf(size);
  view.setUint16(56, cylinders);
  view.setUint8(58, heads);
  view.setUint8(59, sectorsPerTrack);
  view.setUint32(60, 2); // fixed
  writeUniqueId(view, 68, `${size}/${name}`);
  view.setUint32(64, checksumOf(footer));
  return footer;
}

/** One's complement of the sum of all bytes, with the checksum field left out. */
function checksumOf(footer: Uint8Array): number {
  let sum = 0;
  footer.forEach((byte, index) => {
    if (index < 64 || index >= 68) sum += byte;
  });
  return ~sum >>> 0;
}

// The appendix "CHS Calculation" of the specification.
function geometryOf(size: number): { cylinders: number; heads: number; sectorsPerTrack: number } {
  const sectors = Math.min(Math.floor(size / SECTOR), 65_535 * 16 * 255);
  if (sectors >= 65_535 * 16 * 63) {
    return { cylinders: Math.floor(Math.floor(sectors / 255) / 16), heads: 16, sectorsPerTrack: 255 };
  }
  let sectorsPerTrack = 17;
  let cylinderTimesHeads = Math.floor(sectors / sectorsPerTrack);
  let heads = Math.max(4, Math.floor((cylinderTimesHeads + 1023) / 1024));
  if (cylinderTimesHeads >= heads * 1024 || heads > 16) {
    sectorsPerTrack = 31;
    heads = 16;
    cylinderTimesHeads = Math.floor(sectors / sectorsPerTrack);
  }
  if (cylinderTimesHeads >= heads * 1024) {
    sectorsPerTrack = 63;
    heads = 16;
    cylinderTimesHeads = Math.floor(sectors / sectorsPerTrack);
  }
  return { cylinders: Math.floor(cylinderTimesHeads / heads), heads, sectorsPerTrack };
}

function writeText(target: Uint8Array, at: number, text: string): void {
  target.set(new TextEncoder().encode(text), at);
}

/** Four seeded FNV-1a hashes: no secret, only a number that differs from disk to disk. */
function writeUniqueId(view: DataView, at: number, seed: string): void {
  for (let word = 0; word < 4; word++) {
    let hash = (0x811c_9dc5 ^ (word * 0x9e37_79b9)) >>> 0;
    for (const byte of new TextEncoder().encode(seed)) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
    view.setUint32(at + word * 4, hash);
  }
}
