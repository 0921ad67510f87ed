// Bytes that are put together piece by piece, in memory that is used again: most of what a broker writes is short and
// gone at once.

export class Scratch {
  #bytes = Buffer.allocUnsafe(4096);
  length = 0;

  reset(): this {
    this.length = 0;
    return this;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
    return this;
  }

  uint32(value: number): this {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32BE(value >>> 0, this.length);
    return this;
  }

  /** Whole numbers within the safe range. */
  int64(value: number): this {
    this.uint32(Math.floor(value / 4_294_967_296));
    return this.uint32(value);
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** Writes over four bytes that are there. */
  patch(value: number, at: number): this {
    this.#bytes.writeUInt32BE(value, at);
    return this;
  }

  patchByte(value: number, at: number): this {
    this.#bytes[at] = value;
    return this;
  }

  /** A copy of what was put together, with more behind it. */
  toBuffer(...more: readonly Uint8Array[]): Buffer {
    let size = this.length;
    for (const part of more) size += part.length;
    const whole = Buffer.allocUnsafe(size);
    this.#bytes.copy(whole, 0, 0, this.length);
    let at = this.length;
    for (const part of more) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe((this.length + count) * 2);
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }
}
