// The transmission phase on one connection: several commands in flight, answered in any order. The first thing that the
// server does against the protocol ends the connection, and every command with it.
import type { Socket } from 'node:net';
import type { ByteReader } from './byteReader.ts';
import type { Export } from './negotiate.ts';
import { isErrorChunk, type Pending, PendingRead, PendingStatus, type Piece } from './replies.ts';
import { chunk, chunkDone, command, magic, NbdError, NbdLost, NbdViolation } from './wire.ts';

const longestStatus = 8 << 20;
const longestError = 6 + 4096 + 8;

export class NbdConnection {
  readonly export: Export;
  readonly #socket: Socket;
  readonly #reader: ByteReader;
  readonly #what: string;
  readonly #pending = new Map<number, Pending>();
  #lastCookie = 0;
  #lost: Error | undefined;

  /** `silenceMs`: without a byte for so long while it owes answers, the server counts as gone. */
  constructor(what: string, opened: Export, socket: Socket, reader: ByteReader, silenceMs: number) {
    this.export = opened;
    this.#what = what;
    this.#socket = socket;
    this.#reader = reader;
    socket.setTimeout(silenceMs).on('timeout', () => {
      if (this.#pending.size > 0) this.#lose(new NbdLost(`no answer for ${silenceMs / 1000} s`));
    });
    this.#receive().catch((error: unknown) => this.#lose(error));
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Fills the buffer from an offset; both ends lie on multiples of the least block size.
   * @throws NbdError, NbdLost, NbdViolation, or the signal’s reason; the buffer is not touched any more then.
   */
  async read(offset: number, buffer: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#send(new PendingRead(offset, buffer), signal);
  }

  /** The status of a range by context: pieces in order, which may end before the range does. */
  async blockStatus(offset: number, length: number, signal: AbortSignal): Promise<ReadonlyMap<string, Piece[]>> {
    const { contexts, sizeBytes } = this.export;
    const pending = new PendingStatus(offset, length, contexts, sizeBytes);
    await this.#send(pending, signal);
    return pending.answers;
  }

  close(): void {
    if (this.#lost) return;
    this.#write(command.disconnect, 0, 0, 0);
    this.#lose(new NbdLost('it was closed'), false);
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), 1000).unref();
  }

  async #send(pending: Pending, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#lost) throw this.#lost;
    const cookie = ++this.#lastCookie;
    this.#pending.set(cookie, pending);
    this.#write(pending.type, cookie, pending.offset, pending.length);
    const abandon = (): void => {
      pending.isAbandoned = true;
      pending.done.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      await pending.done.promise;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  #write(type: number, cookie: number, offset: number, length: number): void {
    const request = Buffer.alloc(28);
    request.writeUInt32BE(magic.request, 0);
    request.writeUInt16BE(type, 6);
    request.writeBigUInt64BE(BigInt(cookie), 8);
    request.writeBigUInt64BE(BigInt(offset), 16);
    request.writeUInt32BE(length, 24);
    this.#socket.write(request);
  }

  async #receive(): Promise<never> {
    for (;;) {
      const start = (await this.#reader.take(4)).readUInt32BE(0);
      if (start === magic.simpleReply) await this.#simpleReply();
      else if (start === magic.structuredReply && this.export.isStructured) await this.#structuredReply();
      else throw new NbdViolation(`it sends ${start.toString(16).padStart(8, '0')}, which begins no reply`);
    }
  }

  async #simpleReply(): Promise<void> {
    const header = await this.#reader.take(12);
    const [cookie, pending] = this.#find(header.readBigUInt64BE(4));
    const code = header.readUInt32BE(0);
    if (this.export.isStructured && pending.type === command.read)
      throw new NbdViolation('it answers a read with a simple reply, although structured ones were agreed upon');
    if (code !== 0) pending.failed = new NbdError(code, '');
    else if (pending instanceof PendingRead)
      await this.#reader.fill(pending.length, pending.place(BigInt(pending.offset), pending.length));
    this.#end(cookie, pending);
  }

  async #structuredReply(): Promise<void> {
    const header = await this.#reader.take(16);
    const [flags, type] = [header.readUInt16BE(0), header.readUInt16BE(2)];
    const [cookie, pending] = this.#find(header.readBigUInt64BE(4));
    const length = header.readUInt32BE(12);
    if ((flags & ~chunkDone) !== 0) throw new NbdViolation(`it sets flags that nobody agreed upon: ${flags}`);
    const isLast = (flags & chunkDone) !== 0;
    if (type === chunk.none) {
      if (length !== 0 || !isLast) throw new NbdViolation('it sends an empty chunk that is neither empty nor the last');
    } else if (isErrorChunk(type)) {
      if (length > longestError) throw new NbdViolation(`it tells an error in ${length} bytes`);
      pending.fail(type, await this.#reader.take(length));
    } else if (type === chunk.data && pending instanceof PendingRead) {
      if (length < 9) throw new NbdViolation(`it sends data in a chunk of ${length} bytes`);
      const offset = (await this.#reader.take(8)).readBigUInt64BE(0);
      await this.#reader.fill(length - 8, pending.place(offset, length - 8));
    } else if (type === chunk.hole && pending instanceof PendingRead) {
      if (length !== 12) throw new NbdViolation(`it tells a hole in ${length} bytes`);
      const hole = await this.#reader.take(12);
      pending.place(hole.readBigUInt64BE(0), hole.readUInt32BE(8))()?.fill(0);
    } else if (type === chunk.blockStatus && pending instanceof PendingStatus) {
      if (length > longestStatus) throw new NbdViolation(`it tells a block status in ${length} bytes`);
      pending.answer(await this.#reader.take(length));
    } else throw new NbdViolation(`it answers command ${pending.type} with a chunk of type ${type}`);
    if (isLast) this.#end(cookie, pending);
  }

  #find(cookie: bigint): [cookie: number, pending: Pending] {
    const pending = this.#pending.get(Number(cookie));
    if (!pending) throw new NbdViolation(`it answers a command that was not sent, or has been answered: ${cookie}`);
    return [Number(cookie), pending];
  }

  #end(cookie: number, pending: Pending): void {
    pending.end();
    this.#pending.delete(cookie);
    if (pending.failed) pending.done.reject(pending.failed);
    else pending.done.resolve();
  }

  #lose(reason: unknown, destroy = true): void {
    if (this.#lost) return;
    const message = `${this.#what}: ${reason instanceof Error ? reason.message : String(reason)}`;
    this.#lost = reason instanceof NbdViolation ? new NbdViolation(message) : new NbdLost(message, { cause: reason });
    if (destroy) this.#socket.destroy();
    for (const pending of this.#pending.values()) {
      pending.isAbandoned = true;
      pending.done.reject(this.#lost);
    }
    this.#pending.clear();
  }
}
