// What a server may answer to one command, piece by piece, and what it may not.
import { text } from './negotiate.ts';
import { chunk, chunkError, command, NbdError, NbdViolation } from './wire.ts';

export interface Piece {
  length: number;
  flags: number;
}

/** One command that was sent and is not answered to the end. */
export abstract class Pending {
  readonly offset: number;
  readonly length: number;
  abstract readonly type: number;
  readonly done = Promise.withResolvers<void>();
  /** The first error that the server told; the command has failed when the reply ends. */
  failed: NbdError | undefined;
  /** Nobody waits any more: what comes is dropped. */
  isAbandoned = false;

  constructor(offset: number, length: number) {
    this.offset = offset;
    this.length = length;
  }

  /** Throws NbdViolation unless the reply may end here. */
  abstract end(): void;

  /** Keeps an error chunk: code, length of the message, message, and with `errorOffset` where it happened. */
  fail(type: number, content: Buffer): void {
    if (content.length < 6) throw new NbdViolation(`it tells an error in ${content.length} bytes`);
    const [code, length] = [content.readUInt32BE(0), content.readUInt16BE(4)];
    const after = type === chunk.errorOffset ? 8 : 0;
    const isKnown = type === chunk.error || type === chunk.errorOffset;
    if (code === 0) throw new NbdViolation('it tells an error without a number');
    if (isKnown ? content.length !== 6 + length + after : content.length < 6 + length)
      throw new NbdViolation('it tells an error of another length than it says');
    let where = '';
    if (after > 0) {
      const offset = content.readBigUInt64BE(6 + length);
      if (offset < BigInt(this.offset) || offset >= BigInt(this.offset + this.length))
        throw new NbdViolation(`it tells an error at byte ${offset}, which it was not asked for`);
      where = `at byte ${offset} `;
    }
    this.failed ??= new NbdError(code, where + text(content.subarray(6, 6 + length)));
  }
}

/** A read: its data may come in any order, but every byte once. */
export class PendingRead extends Pending {
  override readonly type = command.read;
  readonly #buffer: Uint8Array;
  readonly #covered: { start: number; stop: number }[] = [];

  constructor(offset: number, buffer: Uint8Array) {
    super(offset, buffer.length);
    this.#buffer = buffer;
  }

  /** Where so many bytes at a place on the disk belong; undefined if nobody wants them any more. */
  place(offset: bigint, length: number): () => Uint8Array | undefined {
    const start = Number(offset) - this.offset;
    const stop = start + length;
    if (!Number.isSafeInteger(start) || length === 0 || start < 0 || stop > this.length)
      throw new NbdViolation(`it sends ${length} bytes at ${offset}, which it was not asked for`);
    if (this.#covered.some((range) => start < range.stop && stop > range.start))
      throw new NbdViolation(`it sends bytes at ${offset} twice`);
    this.#covered.push({ start, stop });
    return () => (this.isAbandoned ? undefined : this.#buffer.subarray(start, stop));
  }

  override end(): void {
    const covered = this.#covered.reduce((sum, { start, stop }) => sum + stop - start, 0);
    if (!this.failed && covered !== this.length)
      throw new NbdViolation(`it sends ${covered} of ${this.length} bytes and says that these are all`);
  }
}

/** A question for block status: one answer for each context that was selected. */
export class PendingStatus extends Pending {
  override readonly type = command.blockStatus;
  readonly answers = new Map<string, Piece[]>();
  readonly #contexts: ReadonlyMap<number, string>;
  readonly #sizeBytes: number;

  constructor(offset: number, length: number, contexts: ReadonlyMap<number, string>, sizeBytes: number) {
    super(offset, length);
    this.#contexts = contexts;
    this.#sizeBytes = sizeBytes;
  }

  /** One chunk: the context, and pieces that follow each other from the offset on; the last one may reach further. */
  answer(content: Buffer): void {
    if (content.length < 12 || content.length % 8 !== 4)
      throw new NbdViolation(`it tells a block status in ${content.length} bytes`);
    const name = this.#contexts.get(content.readUInt32BE(0));
    if (name === undefined)
      throw new NbdViolation(`it tells a context ${content.readUInt32BE(0)} that was not selected`);
    if (this.answers.has(name)) throw new NbdViolation(`it tells ${name} twice`);
    const pieces: Piece[] = [];
    let told = 0;
    for (let at = 4; at < content.length; at += 8) {
      const [length, flags] = [content.readUInt32BE(at), content.readUInt32BE(at + 4)];
      if (length === 0) throw new NbdViolation(`it tells a piece of ${name} without length`);
      if (told >= this.length) throw new NbdViolation(`it tells more of ${name} than it was asked for`);
      if (this.offset + told + length > this.#sizeBytes)
        throw new NbdViolation(`it tells ${name} beyond the end of the disk`);
      pieces.push({ length: Math.min(length, this.length - told), flags });
      told += length;
    }
    this.answers.set(name, pieces);
  }

  override end(): void {
    if (!this.failed && this.answers.size !== this.#contexts.size)
      throw new NbdViolation(`it tells ${this.answers.size} of ${this.#contexts.size} contexts`);
  }
}

export const isErrorChunk = (type: number): boolean => (type & chunkError) !== 0;
