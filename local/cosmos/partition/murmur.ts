// MurmurHash3 (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp), the two variants that Cosmos DB
// hashes partition keys with: x86 32-bit for version 1 keys, x64 128-bit for version 2. Seed 0.

const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

const rotate64 = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & MASK;
const rotate32 = (x: number, by: number) => (x << by) | (x >>> (32 - by));
const mixK1 = (k: bigint) => (rotate64((k * C1) & MASK, 31n) * C2) & MASK;
const mixK2 = (k: bigint) => (rotate64((k * C2) & MASK, 33n) * C1) & MASK;

function finalMix64(k: bigint): bigint {
  k = ((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return k ^ (k >> 33n);
}

/** The two 64-bit halves of the x64 128-bit hash. */
export function hash128(bytes: Buffer): [bigint, bigint] {
  let h1 = 0n;
  let h2 = 0n;
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 = (rotate64(h1 ^ mixK1(bytes.readBigUInt64LE(at)), 27n) + h2) & MASK;
    h1 = (h1 * 5n + 0x52dce729n) & MASK;
    h2 = (rotate64(h2 ^ mixK2(bytes.readBigUInt64LE(at + 8)), 31n) + h1) & MASK;
    h2 = (h2 * 5n + 0x38495ab5n) & MASK;
  }
  if (whole < bytes.length) {
    const tail = Buffer.alloc(16);
    bytes.copy(tail, 0, whole);
    h2 ^= mixK2(tail.readBigUInt64LE(8));
    h1 ^= mixK1(tail.readBigUInt64LE(0));
  }
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  h1 = finalMix64(h1);
  h2 = finalMix64(h2);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return [h1, h2];
}

/** The x86 32-bit hash, unsigned. */
export function hash32(bytes: Buffer): number {
  const mix = (k: number) => Math.imul(rotate32(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length - (bytes.length % 4);
  let hash = 0;
  for (let at = 0; at < whole; at += 4) {
    hash = rotate32(hash ^ mix(bytes.readInt32LE(at)), 13);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (whole < bytes.length) {
    const tail = Buffer.alloc(4);
    bytes.copy(tail, 0, whole);
    hash ^= mix(tail.readInt32LE(0));
  }
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
