import { describe, expect, it } from 'vitest';
import { fixedVhdFooter, vhdDiskSizeOf, vhdSizeOf } from '../../../shared/model/vhd.ts';

const MIB = 2 ** 20;
const read = (footer: Uint8Array) => new DataView(footer.buffer);

describe('a fixed VHD', () => {
  it('is the source rounded up to whole MiB plus one sector', () => {
    expect(vhdSizeOf(64 * MIB)).toBe(64 * MIB + 512);
    expect(vhdSizeOf(64 * MIB + 512)).toBe(65 * MIB + 512);
    expect(vhdDiskSizeOf(1)).toBe(MIB);
  });

  it('says in its footer what it is, big-endian', () => {
    const footer = fixedVhdFooter(64 * MIB + 1);
    const view = read(footer);
    expect(new TextDecoder().decode(footer.subarray(0, 8))).toBe('conectix');
    expect(view.getUint32(12)).toBe(0x10000);
    expect(view.getBigUint64(16)).toBe(0xffff_ffff_ffff_ffffn);
    expect(view.getBigUint64(40)).toBe(BigInt(65 * MIB));
    expect(view.getBigUint64(48)).toBe(BigInt(65 * MIB));
    expect(view.getUint32(60)).toBe(2);
  });

  it('carries the one’s complement of the sum of its other bytes', () => {
    const footer = fixedVhdFooter(1234 * MIB, 'disk');
    const stored = read(footer).getUint32(64);
    const sum = footer.reduce((total, byte, index) => (index >= 64 && index < 68 ? total : total + byte), 0);
    expect((stored + sum) >>> 0).toBe(0xffff_ffff);
  });

  it.each([
    // Cylinders, heads and sectors as the specification’s calculation gives them.
    [64 * MIB, [963, 8, 17]],
    [1024 * MIB, [2080, 16, 63]],
    [8 * 2 ** 40, [65535, 16, 255]],
  ] as const)('has the geometry of the specification for %d bytes', (size, [cylinders, heads, sectors]) => {
    const view = read(fixedVhdFooter(size));
    expect([view.getUint16(56), view.getUint8(58), view.getUint8(59)]).toEqual([cylinders, heads, sectors]);
  });

  it('is the same for the same size and name, and differs in its unique id for another name', () => {
    const id = (footer: Uint8Array) => Buffer.from(footer.subarray(68, 84)).toString('hex');
    expect(fixedVhdFooter(MIB, 'a')).toEqual(fixedVhdFooter(MIB, 'a'));
    expect(id(fixedVhdFooter(MIB, 'a'))).not.toBe(id(fixedVhdFooter(MIB, 'b')));
  });
});
