// Effective partition keys: where a partition key lies in the range '' … 'FF'. The client computes the same value for
// prefix keys and feed ranges (@azure/cosmos@4.10.1, utils/hashing), so both must agree to the last digit.
import { hash32, hash128 } from './murmur.ts';

export type KeyPart = string | number | boolean | null | undefined;

const UNDEFINED = 0x00;
const NULL = 0x01;
const FALSE = 0x02;
const TRUE = 0x03;
const NUMBER = 0x05;
const STRING = 0x08;
const V1_CHARACTERS = 100;

/** Version 2, and each level of a hierarchical key: 32 hexadecimal digits, the first two bits zero. */
export function hashV2(part: KeyPart): string {
  const [h1, h2] = hash128(typedBytes(part, 0xff));
  const digits = Buffer.alloc(16);
  digits.writeBigUInt64BE(h2, 0);
  digits.writeBigUInt64BE(h1, 8);
  digits.writeUInt8(digits.readUInt8(0) & 0x3f, 0);
  return digits.toString('hex').toUpperCase();
}

/** Version 1: the 32-bit hash as an ordered number, followed by the (shortened) value itself. */
export function hashV1(part: KeyPart): string {
  const short = typeof part === 'string' ? part.slice(0, V1_CHARACTERS) : part;
  const hash = hash32(typedBytes(short, 0x00));
  return Buffer.concat([orderedNumber(hash), orderedValue(short)])
    .toString('hex')
    .toUpperCase();
}

/** The start of every version 1 key whose hash is `hash`, as a boundary between ranges. */
export const orderedHash = (hash: number) => orderedNumber(hash).toString('hex').toUpperCase();

function typedBytes(part: KeyPart, stringEnd: number): Buffer {
  if (typeof part === 'string') return Buffer.concat([Buffer.of(STRING), Buffer.from(part), Buffer.of(stringEnd)]);
  if (typeof part === 'number') {
    const bytes = Buffer.alloc(9, NUMBER);
    bytes.writeDoubleLE(part, 1);
    return bytes;
  }
  return simpleValue(part);
}

function simpleValue(part: boolean | null | undefined): Buffer {
  if (part === undefined) return Buffer.of(UNDEFINED);
  if (part === null) return Buffer.of(NULL);
  return Buffer.of(part ? TRUE : FALSE);
}

function orderedValue(part: KeyPart): Buffer {
  if (typeof part === 'number') return orderedNumber(part);
  if (typeof part !== 'string') return simpleValue(part);
  const bytes = Buffer.from(part).map((byte) => Math.min(byte + 1, 0xff));
  return Buffer.concat([Buffer.of(STRING), bytes, Buffer.of(0)]);
}

// A double whose bytes sort like the number: the first byte whole, then seven bits a byte with a "more follows" bit.
function orderedNumber(value: number): Buffer {
  const raw = Buffer.alloc(8);
  raw.writeDoubleBE(value);
  const bits = raw.readBigUInt64BE();
  const sign = 1n << 63n;
  let rest = BigInt.asUintN(64, bits < sign ? bits ^ sign : ~bits + 1n);
  const bytes = [NUMBER, Number(rest >> 56n)];
  rest = BigInt.asUintN(64, rest << 8n);
  let last = 0;
  let first = true;
  do {
    if (!first) bytes.push(last);
    first = false;
    last = Number(rest >> 56n) | 1;
    rest = BigInt.asUintN(64, rest << 7n);
  } while (rest !== 0n);
  if ((last & 0xfe) !== 0) bytes.push(last & 0xfe);
  return Buffer.from(bytes);
}
