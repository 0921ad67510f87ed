// Disks behind an NBD server: whatever qemu-nbd, nbdkit, a QEMU or another server shows. A connection that breaks is made
// anew and what was asked is asked again; a server that breaks the protocol is not believed, nor asked again.
import { messageOf } from '../log.ts';
import { connectNbd } from '../nbd/connect.ts';
import type { NbdConnection } from '../nbd/connection.ts';
import { type NbdAddress, parseNbdUri } from '../nbd/uri.ts';
import { allocation, dirtyBitmap, NbdError, NbdViolation } from '../nbd/wire.ts';
import { type Patience, Retryable, withRetry } from '../net/retry.ts';
import { Problem } from '../problem.ts';
import type { Range } from '../replication/blocks.ts';
import { type DiskSource, type Extent, sizeChanged } from './source.ts';

const queriedBytes = 1 << 30;
/** How often a command is sent that fails on the server, and not on the way to it. */
const triesPerCommand = 4;
/** Input/output error and out of memory: who asks again may get it. */
const passing = new Set([5, 12]);
const shuttingDown = 108;
const forEver = new AbortController().signal;

export interface NbdSourceOptions {
  /** The context that tells what has changed: `qemu:dirty-bitmap:` and a name. */
  changed?: string | undefined;
  /** For how long a server that is away is waited for. */
  patience?: Pick<Patience, 'forMs' | 'firstMs' | 'onRetry'>;
  /** Without a byte for so long while it owes answers, the server counts as gone. */
  silenceMs?: number;
}

/** Opens an export. The first connection must succeed at once. */
export async function openNbd(uri: string, options: NbdSourceOptions = {}): Promise<DiskSource> {
  const address = addressOf(uri);
  const { silenceMs, changed } = options;
  const contexts = [allocation.context, ...(changed === undefined ? [] : [changed])];
  const connect = (): Promise<NbdConnection> =>
    connectNbd(address, { contexts, ...(silenceMs !== undefined && { silenceMs }) });
  return new NbdSource(uri, await connect().catch(giveUp), connect, options);
}

function addressOf(uri: string): NbdAddress {
  try {
    return parseNbdUri(uri);
  } catch (error) {
    const message = `The disk's address ${uri} is wrong: ${messageOf(error)}.`;
    throw new Problem('diskUnreadable', message, 'Correct it in the inventory.', { cause: error });
  }
}

function giveUp(error: unknown): never {
  if (error instanceof Problem) throw error;
  const suggestion =
    error instanceof NbdViolation
      ? 'Serve the disk with another NBD server, or another version of it.'
      : 'Check that the NBD server runs, can read the disk, and serves it to this machine.';
  throw new Problem('diskUnreadable', `The disk can't be read. ${messageOf(error)}.`, suggestion, { cause: error });
}

class NbdSource implements DiskSource {
  readonly sizeBytes: number;
  readonly extents?: NonNullable<DiskSource['extents']>;
  readonly changed?: NonNullable<DiskSource['changed']>;
  readonly #name: string;
  readonly #connect: () => Promise<NbdConnection>;
  readonly #options: NbdSourceOptions;
  #connection: Promise<NbdConnection>;
  #isClosed = false;

  constructor(name: string, first: NbdConnection, connect: () => Promise<NbdConnection>, options: NbdSourceOptions) {
    this.sizeBytes = first.export.sizeBytes;
    this.#name = name;
    this.#connection = Promise.resolve(first);
    this.#connect = connect;
    this.#options = options;
    const contexts = [...first.export.contexts.values()];
    if (contexts.includes(allocation.context)) this.extents = (within, signal) => this.#extents(within, signal);
    const { changed } = options;
    if (changed !== undefined && contexts.includes(changed))
      this.changed = (within, signal) => this.#changed(changed, within, signal);
  }

  async read(offset: number, buffer: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#ask(signal, async (connection) => {
      const { leastBytes, mostBytes } = connection.export;
      if (offset % leastBytes === 0 && buffer.length % leastBytes === 0 && buffer.length <= mostBytes)
        return connection.read(offset, buffer, signal);
      for (let at = 0; at < buffer.length; ) {
        const start = Math.floor((offset + at) / leastBytes) * leastBytes;
        const wanted = Math.min(buffer.length - at, mostBytes - leastBytes);
        const stop = Math.min(Math.ceil((offset + at + wanted) / leastBytes) * leastBytes, this.sizeBytes);
        const widened = new Uint8Array(stop - start);
        await connection.read(start, widened, signal);
        const from = offset + at - start;
        buffer.set(widened.subarray(from, from + wanted), at);
        at += wanted;
      }
    });
  }

  async checkSize(): Promise<void> {
    // A server tells the size only to a new connection.
    (await this.#connection.catch(() => undefined))?.close();
    await this.#ask(forEver, async () => {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#connection.catch(() => undefined))?.close();
  }

  async *#extents(within: Range, signal: AbortSignal): AsyncGenerator<Extent> {
    for await (const { flags, ...range } of this.#pieces(allocation.context, within, signal))
      yield { ...range, zero: (flags & allocation.zero) !== 0 };
  }

  async *#changed(context: string, within: Range, signal: AbortSignal): AsyncGenerator<Range> {
    for await (const { flags, ...range } of this.#pieces(context, within, signal))
      if ((flags & dirtyBitmap.dirty) !== 0) yield range;
  }

  async *#pieces(
    context: string,
    { start, stop }: Range,
    signal: AbortSignal,
  ): AsyncGenerator<Range & { flags: number }> {
    for (let at = start; at < stop; ) {
      const wanted = Math.min(queriedBytes, stop - at);
      const answers = await this.#ask(signal, (connection) => connection.blockStatus(at, wanted, signal));
      const pieces = answers.get(context);
      // After a new connection the server may lack what it had.
      if (!pieces)
        throw new Problem('diskUnreadable', `The disk ${this.#name} has lost ${context}.`, 'Retry the sync.');
      for (const { length, flags } of pieces) {
        yield { start: at, stop: at + length, flags };
        at += length;
      }
    }
  }

  /** Asks until there is an answer: again after a while, and over a new connection if the last one is gone. */
  async #ask<T>(signal: AbortSignal, work: (connection: NbdConnection) => Promise<T>): Promise<T> {
    let tries = 0;
    const attempt = async (): Promise<T> => {
      try {
        return await work(await this.#connected());
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Problem || error instanceof NbdViolation) throw error;
        if (error instanceof NbdError && error.code === shuttingDown) (await this.#connection).close();
        else if (error instanceof NbdError && !(passing.has(error.code) && ++tries < triesPerCommand)) throw error;
        throw new Retryable(messageOf(error));
      }
    };
    return withRetry(attempt, { forMs: 5 * 60_000, maxMs: 5000, ...this.#options.patience, signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        return giveUp(error);
      },
    );
  }

  /** The connection, made anew if it is gone. Who comes meanwhile waits for the same. */
  #connected(): Promise<NbdConnection> {
    this.#connection = this.#connection
      .catch(() => undefined)
      .then((current) => (current && !current.isLost ? current : this.#reconnect()));
    return this.#connection;
  }

  async #reconnect(): Promise<NbdConnection> {
    if (this.#isClosed) throw new Error('it was closed');
    const connection = await this.#connect();
    if (connection.export.sizeBytes === this.sizeBytes) return connection;
    connection.close();
    throw sizeChanged(this.#name, this.sizeBytes, connection.export.sizeBytes);
  }
}
