// The fixed newstyle negotiation: TLS, structured replies, metadata contexts, and the export itself.
import type { Duplex } from 'node:stream';
import type { ByteReader } from './byteReader.ts';
import { describeAddress, type NbdAddress } from './uri.ts';
import { handshake, info, magic, NbdRefused, NbdViolation, option, refusal, reply, unsupported } from './wire.ts';

export interface Export {
  sizeBytes: number;
  /** Requests begin and end on multiples of this, and are no longer than `mostBytes`. */
  leastBytes: number;
  mostBytes: number;
  isStructured: boolean;
  /** The selected metadata contexts by their id. */
  contexts: ReadonlyMap<number, string>;
}

const longestReply = 1 << 20;
const defaultMost = 32 << 20;

/** Speaks one side of the negotiation over a socket, before or after TLS. */
export class Negotiation {
  readonly #address: NbdAddress;
  readonly #reader: ByteReader;
  readonly #socket: Duplex;

  constructor(address: NbdAddress, socket: Duplex, reader: ByteReader) {
    this.#address = address;
    this.#socket = socket;
    this.#reader = reader;
  }

  /** The server's greeting and our answer; afterwards options are asked for. */
  async greet(): Promise<void> {
    const greeting = await this.#reader.take(18);
    if (greeting.readBigUInt64BE(0) !== magic.init) throw new NbdViolation(`${this.#what} does not speak NBD`);
    if (greeting.readBigUInt64BE(8) !== magic.option)
      throw new NbdViolation(`${this.#what} speaks only the oldstyle negotiation, which knows no errors and no TLS`);
    const flags = greeting.readUInt16BE(16);
    if ((flags & handshake.fixedNewstyle) === 0)
      throw new NbdViolation(`${this.#what} does not speak the fixed newstyle negotiation`);
    const answer = Buffer.alloc(4);
    answer.writeUInt32BE(handshake.fixedNewstyle | (flags & handshake.noZeroes));
    this.#socket.write(answer);
  }

  /** Asks for TLS; when this resolves, the very next byte is TLS. */
  async startTls(): Promise<void> {
    const { refused } = await this.#ask(option.startTls, Buffer.alloc(0));
    if (refused) throw new NbdRefused(`${this.#what} refuses TLS: ${refused}`);
    // Whatever is here already was sent in the clear, perhaps by somebody else, and would be taken for the server's word.
    if (this.#reader.buffered > 0) throw new NbdViolation(`${this.#what} has sent something before TLS began`);
  }

  /** Selects contexts, as many of these as the server has, and opens the export. */
  async open(wanted: readonly string[]): Promise<Export> {
    const { refused } = await this.#ask(option.structuredReply, Buffer.alloc(0));
    const isStructured = refused === undefined;
    const contexts = isStructured && wanted.length > 0 ? await this.#setContexts(wanted) : new Map<number, string>();
    return { ...(await this.#go()), isStructured, contexts };
  }

  /** Names of the server's contexts that match a query, `qemu:dirty-bitmap:` for one. */
  async listContexts(query: string): Promise<string[]> {
    if ((await this.#ask(option.structuredReply, Buffer.alloc(0))).refused) return [];
    const { replies, refused } = await this.#ask(option.listMetaContext, this.#queries([query]));
    return refused
      ? []
      : replies.filter(({ type }) => type === reply.metaContext).map(({ data }) => this.#context(data)[1]);
  }

  /** Says goodbye; the server may close without an answer. */
  abort(): void {
    this.#send(option.abort, Buffer.alloc(0));
  }

  get #what(): string {
    return describeAddress(this.#address);
  }

  async #setContexts(wanted: readonly string[]): Promise<Map<number, string>> {
    const { replies, refused } = await this.#ask(option.setMetaContext, this.#queries(wanted));
    const found = new Map<number, string>();
    if (refused) return found;
    for (const { type, data } of replies) {
      if (type !== reply.metaContext) throw new NbdViolation(`${this.#what} answered contexts with a reply ${type}`);
      const [id, name] = this.#context(data);
      if (!wanted.includes(name))
        throw new NbdViolation(`${this.#what} selects the context ${name}, which is not wanted`);
      if (found.has(id) || [...found.values()].includes(name))
        throw new NbdViolation(`${this.#what} selects a context twice: ${name}, ${id}`);
      found.set(id, name);
    }
    return found;
  }

  #context(data: Buffer): [id: number, name: string] {
    if (data.length < 5) throw new NbdViolation(`${this.#what} names a context in ${data.length} bytes`);
    return [data.readUInt32BE(0), data.toString('utf8', 4)];
  }

  async #go(): Promise<Pick<Export, 'sizeBytes' | 'leastBytes' | 'mostBytes'>> {
    const name = Buffer.from(this.#address.exportName, 'utf8');
    const wanted = Buffer.alloc(4);
    wanted.writeUInt16BE(1, 0);
    wanted.writeUInt16BE(info.blockSize, 2);
    const { replies, refused } = await this.#ask(option.go, Buffer.concat([counted(name), wanted]));
    if (refused) throw new NbdRefused(`${this.#what} cannot be opened: ${refused}`);
    let sizeBytes: number | undefined;
    let [leastBytes, mostBytes] = [1, defaultMost];
    for (const { type, data } of replies) {
      if (type !== reply.info || data.length < 2) throw new NbdViolation(`${this.#what} opens with a reply ${type}`);
      const kind = data.readUInt16BE(0);
      if (kind === info.export) {
        if (data.length !== 12) throw new NbdViolation(`${this.#what} tells its size in ${data.length} bytes`);
        sizeBytes = this.#safe(data.readBigUInt64BE(2));
      } else if (kind === info.blockSize) {
        if (data.length !== 14) throw new NbdViolation(`${this.#what} tells block sizes in ${data.length} bytes`);
        [leastBytes, mostBytes] = [data.readUInt32BE(2), data.readUInt32BE(10)];
        const isPower = leastBytes > 0 && (leastBytes & (leastBytes - 1)) === 0;
        if (!isPower || leastBytes > 64 << 10 || mostBytes < leastBytes)
          throw new NbdViolation(`${this.#what} has impossible block sizes: ${leastBytes} to ${mostBytes}`);
      }
    }
    if (sizeBytes === undefined) throw new NbdViolation(`${this.#what} does not tell its size`);
    return { sizeBytes, leastBytes, mostBytes: Math.min(mostBytes, defaultMost) };
  }

  #safe(size: bigint): number {
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new NbdViolation(`${this.#what} has an impossible size: ${size}`);
    return Number(size);
  }

  /** Export name and queries, as both options for contexts take them. */
  #queries(queries: readonly string[]): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(queries.length);
    const name = Buffer.from(this.#address.exportName, 'utf8');
    return Buffer.concat([counted(name), count, ...queries.map((query) => counted(Buffer.from(query, 'utf8')))]);
  }

  #send(code: number, data: Buffer): void {
    const header = Buffer.alloc(16);
    header.writeBigUInt64BE(magic.option, 0);
    header.writeUInt32BE(code, 8);
    header.writeUInt32BE(data.length, 12);
    this.#socket.write(Buffer.concat([header, data]));
  }

  /** Sends an option and reads its replies up to the last one. */
  async #ask(code: number, data: Buffer): Promise<{ replies: { type: number; data: Buffer }[]; refused?: string }> {
    this.#send(code, data);
    const replies: { type: number; data: Buffer }[] = [];
    for (let bytes = 0; bytes <= longestReply; ) {
      const header = await this.#reader.take(20);
      if (header.readBigUInt64BE(0) !== magic.optionReply || header.readUInt32BE(8) !== code)
        throw new NbdViolation(`${this.#what} answers option ${code} with something else`);
      const [type, length] = [header.readUInt32BE(12), header.readUInt32BE(16)];
      if (length > longestReply) throw new NbdViolation(`${this.#what} answers option ${code} with ${length} bytes`);
      const content = await this.#reader.take(length);
      bytes += 20 + length;
      if (type >= reply.error) {
        const reason = type - reply.error;
        if (reason === unsupported && code === option.go)
          throw new NbdRefused(`${this.#what} does not know NBD_OPT_GO; use a server that is younger than 2017`);
        return { replies, refused: (refusal[reason] ?? `error ${reason}`) + (length > 0 ? ` (${text(content)})` : '') };
      }
      if (type !== reply.ack) replies.push({ type, data: content });
      else if (length === 0) return { replies };
      else throw new NbdViolation(`${this.#what} acknowledges option ${code} with ${length} bytes too many`);
    }
    throw new NbdViolation(`${this.#what} answers option ${code} without end`);
  }
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What a server says, made fit for a log: short and printable. */
export function text(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
    .slice(0, 300);
}
