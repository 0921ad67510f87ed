// Exact pieces of what a socket sends. It reads no further ahead than a little, so that a server which sends without end
// fills no memory.
import type { Duplex } from 'node:stream';
import { copyInto } from '../net/copyInto.ts';
import { letGo } from '../net/letGo.ts';
import { NbdLost } from './wire.ts';

const readAheadBytes = 1 << 20;

export class ByteReader {
  readonly #socket: Duplex;
  #chunks: Buffer[] = [];
  /** How much of the first chunk has been read. */
  #taken = 0;
  #buffered = 0;
  #ended: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #onData = (chunk: Buffer): void => this.#push(chunk);
  readonly #onEnd = (): void => this.#end(new NbdLost('the server closed the connection'));
  readonly #onError = (error: Error): void => this.#end(new NbdLost(error.message, { cause: error }));

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError);
  }

  /** Bytes that came and were not read yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Hands the socket over to somebody else. */
  detach(): void {
    this.#socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError);
  }

  /** So many bytes in a buffer of their own. */
  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    await this.fill(length, () => bytes);
    return bytes;
  }

  /** So many bytes into what `target` gives at each step; where it gives nothing they are dropped. */
  async fill(length: number, target: () => Uint8Array | undefined): Promise<void> {
    for (let at = 0; at < length; ) {
      const first = this.#chunks[0];
      if (!first) {
        if (this.#ended) throw this.#ended;
        await this.#more();
        continue;
      }
      const part = first.subarray(this.#taken, this.#taken + length - at);
      const memory = target();
      if (memory) copyInto(memory, at, part);
      at += part.length;
      this.#taken += part.length;
      this.#buffered -= part.length;
      if (this.#taken === first.length) {
        this.#chunks.shift();
        this.#taken = 0;
        letGo(first);
      }
      if (this.#buffered < readAheadBytes && this.#socket.isPaused()) this.#socket.resume();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered >= readAheadBytes) this.#socket.pause();
    this.#wakeUp();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
