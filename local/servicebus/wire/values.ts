// AMQP 1.0 values as bytes (https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-types-v1.0-os.html). Enough to walk
// over any value without understanding it, to read the few that a broker must understand, and to write the few that it
// adds. User values are copied byte for byte and never decoded and encoded again: that would lose their types.

import { uuidBytes, uuidText } from './guid.ts';

/** A decoded value; 64-bit integers beyond the safe range arrive as bigint, unknown types as their bytes. */
export type Value = null | boolean | number | bigint | string | Date | Buffer;

/** A 128-bit identifier that is no text. */
export class Guid {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A value with the distinction that rules need: every integer is a bigint, every float a number. */
export type Exact = null | boolean | bigint | number | string | Date | Guid | Buffer;

const floats = [0x72, 0x82];
const guid = 0x98;

/** Reads one primitive value exactly; what no rule can use comes back as its bytes. */
export function readExact(bytes: Buffer, at: number): Exact {
  const code = bytes.readUInt8(at);
  if (code === guid) return new Guid(uuidText(bytes.subarray(at + 1, at + 17)));
  const value = readValue(bytes, at);
  return typeof value === 'number' && !floats.includes(code) ? BigInt(value) : value;
}

/** Writes what `readExact` reads; bytes are taken as they are. */
export function encodeExact(value: Exact): Buffer {
  if (value === null) return nullValue;
  if (typeof value === 'boolean') return Buffer.from([value ? 0x41 : 0x42]);
  if (typeof value === 'bigint') return encodeLong(value);
  if (typeof value === 'number') return fixed(0x82, 8, (b) => b.writeDoubleBE(value, 1));
  if (typeof value === 'string') return encodeString(value);
  if (value instanceof Date) return encodeTimestamp(value.getTime());
  return value instanceof Guid ? Buffer.concat([Buffer.from([guid]), uuidBytes(value.text)]) : value;
}

const fixedWidths = [0, 1, 2, 4, 8, 16] as const;

/** The offset just after the value that starts at `at`. */
export function skipValue(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at);
  if (code === 0) return skipValue(bytes, skipValue(bytes, at + 1));
  const group = code >>> 4;
  if (group >= 4 && group <= 9) return at + 1 + (fixedWidths[group - 4] ?? 0);
  const wide = (group & 1) === 1;
  if (group >= 0xa) return wide ? at + 5 + bytes.readUInt32BE(at + 1) : at + 2 + bytes.readUInt8(at + 1);
  throw new RangeError(`Not an AMQP type code: 0x${code.toString(16)}`);
}

function integer(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Reads one primitive value. Descriptors are dropped; lists, maps and arrays come back as bytes. */
export function readValue(bytes: Buffer, at: number): Value {
  const code = bytes.readUInt8(at);
  const p = at + 1;
  switch (code) {
    case 0x00:
      return readValue(bytes, skipValue(bytes, p));
    case 0x40:
      return null;
    case 0x41:
      return true;
    case 0x42:
      return false;
    case 0x56:
      return bytes.readUInt8(p) !== 0;
    case 0x43:
    case 0x44:
      return 0;
    case 0x50:
    case 0x52:
    case 0x53:
      return bytes.readUInt8(p);
    case 0x51:
    case 0x54:
    case 0x55:
      return bytes.readInt8(p);
    case 0x60:
      return bytes.readUInt16BE(p);
    case 0x61:
      return bytes.readInt16BE(p);
    case 0x70:
      return bytes.readUInt32BE(p);
    case 0x71:
      return bytes.readInt32BE(p);
    case 0x72:
      return bytes.readFloatBE(p);
    case 0x82:
      return bytes.readDoubleBE(p);
    case 0x80:
      return integer(bytes.readBigUInt64BE(p));
    case 0x81:
      return integer(bytes.readBigInt64BE(p));
    case 0x83:
      return new Date(Number(bytes.readBigInt64BE(p)));
    case 0xa1:
    case 0xa3:
      return bytes.toString('utf8', p + 1, p + 1 + bytes.readUInt8(p));
    case 0xb1:
    case 0xb3:
      return bytes.toString('utf8', p + 4, p + 4 + bytes.readUInt32BE(p));
    case 0xa0:
      return bytes.subarray(p + 1, p + 1 + bytes.readUInt8(p));
    case 0xb0:
      return bytes.subarray(p + 4, p + 4 + bytes.readUInt32BE(p));
    default:
      return bytes.subarray(at, skipValue(bytes, at));
  }
}

/** Where the elements of a list, or the alternating keys and values of a map, begin, and where the last one ends. */
export function offsets(bytes: Buffer, at: number): number[] {
  const code = bytes.readUInt8(at);
  if (code === 0x45) return [];
  const wide = (code & 0x10) === 0x10;
  if (code !== 0xc0 && code !== 0xc1 && code !== 0xd0 && code !== 0xd1) throw new RangeError('Not a list or a map');
  const count = wide ? bytes.readUInt32BE(at + 5) : bytes.readUInt8(at + 2);
  let p = at + (wide ? 9 : 3);
  const found = [p];
  for (let i = 0; i < count; i++) {
    p = skipValue(bytes, p);
    found.push(p);
  }
  return found;
}

/** The same, each as the bytes that it came in. */
export function elements(bytes: Buffer, at: number): Buffer[] {
  const places = offsets(bytes, at);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

function sized(narrow: number, wide: number, body: Buffer): Buffer {
  const head = Buffer.alloc(body.length < 256 ? 2 : 5);
  if (body.length < 256) {
    head.writeUInt8(narrow, 0);
    head.writeUInt8(body.length, 1);
  } else {
    head.writeUInt8(wide, 0);
    head.writeUInt32BE(body.length, 1);
  }
  return Buffer.concat([head, body]);
}

function fixed(code: number, width: 1 | 4 | 8, write: (into: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(1 + width);
  bytes.writeUInt8(code, 0);
  write(bytes);
  return bytes;
}

export const nullValue = Buffer.from([0x40]);
export const encodeString = (text: string): Buffer => sized(0xa1, 0xb1, Buffer.from(text, 'utf8'));
export const encodeSymbol = (text: string): Buffer => sized(0xa3, 0xb3, Buffer.from(text, 'ascii'));
const encodeLong = (value: number | bigint): Buffer => fixed(0x81, 8, (b) => b.writeBigInt64BE(BigInt(value), 1));
const encodeTimestamp = (ms: number): Buffer => fixed(0x83, 8, (b) => b.writeBigInt64BE(BigInt(ms), 1));

function compound(code: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(9);
  head.writeUInt8(code, 0);
  head.writeUInt32BE(body.length + 4, 1);
  head.writeUInt32BE(parts.length, 5);
  return Buffer.concat([head, body]);
}

export const encodeList = (items: readonly Buffer[]): Buffer => compound(0xd0, items);

/** A map from keys and values that are encoded already, in the order given. */
export const encodeMap = (keysAndValues: readonly Buffer[]): Buffer => compound(0xd1, keysAndValues);
