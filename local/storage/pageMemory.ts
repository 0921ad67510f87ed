// Memory that is used again and begins on a page: the kernel moves it to and from the disk without a copy of its own in
// between. That copy, in the page cache, was seen to cost more processor time than all the rest of a page write.
const wasmPage = 64 << 10;

export class PageMemory {
  readonly #bytes: number;
  readonly #count: number;
  #spare: Buffer[] | undefined;

  constructor(bytes: number, count: number) {
    this.#bytes = bytes;
    this.#count = count;
  }

  /** Lends `length` bytes for as long as `work` takes. */
  async use<T>(length: number, work: (memory: Buffer) => Promise<T>): Promise<T> {
    const memory = this.take(length);
    try {
      return await work(memory);
    } finally {
      this.give(memory);
    }
  }

  /** Lends `length` bytes until they are given back; when all is lent, of ordinary memory. */
  take(length: number): Buffer {
    this.#spare ??= this.#allocate();
    const memory = length <= this.#bytes ? this.#spare.pop() : undefined;
    return memory?.subarray(0, length) ?? Buffer.allocUnsafe(length);
  }

  /** Takes back what `take` has lent: whoever had it uses it no more. */
  give({ buffer, byteOffset }: Buffer): void {
    if (buffer instanceof SharedArrayBuffer) this.#spare?.push(Buffer.from(buffer, byteOffset, this.#bytes));
  }

  #allocate(): Buffer[] {
    const pages = (this.#count * this.#bytes) / wasmPage;
    // Nothing else in Node promises where memory begins. The system gives it when it is first written to.
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return Array.from({ length: this.#count }, (_, index) => Buffer.from(buffer, index * this.#bytes, this.#bytes));
  }
}

/** Whether memory is such memory, begins on a multiple of `unit`, and is a multiple of it. */
export function isPageMemory({ buffer, byteOffset, length }: Buffer, unit: number): boolean {
  return buffer instanceof SharedArrayBuffer && byteOffset % unit === 0 && length % unit === 0;
}
