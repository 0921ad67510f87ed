import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyInto } from '../../../appliance/net/copyInto.ts';

it('copies what `set` copies, into memory of every kind, and nothing beyond it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(30),
      fc.nat(30),
      fc.boolean(),
      (bytes, at, before, isShared) => {
        const whole = 128;
        const buffer = isShared ? new SharedArrayBuffer(whole) : new ArrayBuffer(whole);
        const memory = new Uint8Array(buffer, before, 64);
        const expected = new Uint8Array(whole);
        if (at + bytes.length > memory.length) {
          expect(() => copyInto(memory, at, bytes)).toThrow(RangeError);
        } else {
          expected.set(bytes, before + at);
          copyInto(memory, at, bytes);
        }
        expect([...new Uint8Array(buffer)]).toEqual([...expected]);
      },
    ),
  );
});
