// A guest without an operating system: the boot sector below. It writes a counter to its disk's second sector 18 times a
// second, and powers off when its power button is pressed. One of zeroes boots nothing and heeds nobody.
// Ports of the q35 machine: 0x600 power status, 0x602 what it reports, 0x604 power control.
// https://uefi.org/specs/ACPI/6.5/04_ACPI_Hardware_Specification.html#pm1-event-grouping
import { writeFile } from 'node:fs/promises';

/** Fits before a partition table. */
export const guestCode = Buffer.from(
  [
    [0x31, 0xc0], // xor ax, ax
    [0x8e, 0xd8], // mov ds, ax
    [0x8e, 0xc0], // mov es, ax
    [0x88, 0x16, 0x00, 0x82], // mov [0x8200], dl: the disk that it was booted from
    [0xba, 0x02, 0x06], // mov dx, 0x602
    [0xb8, 0x00, 0x01], // mov ax, 0x0100: report the power button
    [0xef], // out dx, ax
    // again:
    [0xff, 0x06, 0x00, 0x80], // inc word [0x8000]
    [0xbb, 0x00, 0x80], // mov bx, 0x8000
    [0xb8, 0x01, 0x03], // mov ax, 0x0301: write one sector
    [0xb9, 0x02, 0x00], // mov cx, 2: the second one
    [0x8a, 0x16, 0x00, 0x82], // mov dl, [0x8200]
    [0xb6, 0x00], // mov dh, 0
    [0xcd, 0x13], // int 0x13
    [0xfb, 0xf4], // sti, hlt: until the clock's next tick
    [0xba, 0x00, 0x06], // mov dx, 0x600
    [0xed], // in ax, dx
    [0xf6, 0xc4, 0x01], // test ah, 1: the button
    [0x74, 0xe0], // jz again
    [0xba, 0x04, 0x06], // mov dx, 0x604
    [0xb8, 0x00, 0x20], // mov ax, 0x2000: off
    [0xef], // out dx, ax
    [0xeb, 0xfe], // jmp here
  ].flat(),
);

/** Makes a raw disk of 1 MiB that boots this guest. */
export async function makeGuestDisk(path: string): Promise<void> {
  const disk = Buffer.alloc(2 ** 20);
  guestCode.copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  await writeFile(path, disk);
}

/** The counter on such a disk. */
export const countOn = (disk: Buffer): number => disk.readUInt16LE(512);
