// An NBD server that does what a test says: honest in all that the test leaves alone.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ByteReader } from '../../../appliance/nbd/byteReader.ts';
import { parseNbdUri } from '../../../appliance/nbd/uri.ts';

export interface Request {
  type: number;
  cookie: bigint;
  offset: bigint;
  length: number;
  /** Ordinal on its connection. */
  index: number;
}

export interface Script {
  greeting?: Buffer;
  /** Raw answer to an option; undefined for the honest one. */
  option?: (code: number, data: Buffer, socket: Socket) => Buffer | undefined;
  /** Raw answer to a command; undefined for the honest one. */
  answer?: (request: Request, socket: Socket) => Buffer | undefined | Promise<Buffer | undefined>;
  size?: bigint;
  structured?: boolean;
  contexts?: string[];
}

export const content = (offset: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (offset + index) % 251));

const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: bigint | number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
export const bytes = { u16, u32, u64 };

export const greeting = (flags = 3): Buffer => Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(flags)]);

export const optionReply = (code: number, type: number, data = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u64(0x3e889045565a9n), u32(code), u32(type), u32(data.length), data]);

export const ack = (code: number): Buffer => optionReply(code, 1);

export const chunk = (cookie: bigint, type: number, data: Buffer, flags = 1, length = data.length): Buffer =>
  Buffer.concat([u32(0x668e33ef), u16(flags), u16(type), u64(cookie), u32(length), data]);

export const simple = (cookie: bigint, error = 0, data: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u32(0x67446698), u32(error), u64(cookie), data]);

export const data = ({ cookie, offset, length }: Request, flags = 1): Buffer =>
  chunk(cookie, 1, Buffer.concat([u64(offset), content(Number(offset), length)]), flags);

/** Starts the server; `address` reaches it. */
export async function scripted(script: Script) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket, script).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: parseNbdUri(`nbd://127.0.0.1:${port}/disk`),
    uri: `nbd://127.0.0.1:${port}/disk`,
    connections: () => connections,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(socket: Socket, script: Script): Promise<void> {
  const { size = 1n << 20n, structured = true, contexts = ['base:allocation'] } = script;
  const reader = new ByteReader(socket);
  socket.write(script.greeting ?? greeting());
  await reader.take(4);
  let isStructured = false;
  for (let isOpen = false; !isOpen; ) {
    const header = await reader.take(16);
    const code = header.readUInt32BE(8);
    const sent = await reader.take(header.readUInt32BE(12));
    const own = script.option?.(code, sent, socket);
    if (own) socket.write(own);
    else if (code === 8) {
      isStructured = structured;
      socket.write(structured ? ack(8) : optionReply(8, 0x8000_0001));
    } else if (code === 9 || code === 10) {
      const named = contexts.map((name, id) => optionReply(code, 4, Buffer.concat([u32(id + 1), Buffer.from(name)])));
      socket.write(Buffer.concat([...named, ack(code)]));
    } else if (code === 7)
      socket.write(Buffer.concat([optionReply(7, 3, Buffer.concat([u16(0), u64(size), u16(3)])), ack(7)]));
    else socket.write(optionReply(code, 0x8000_0001));
    isOpen = code === 7;
  }
  for (let index = 0; ; index++) {
    const header = await reader.take(28);
    const request: Request = {
      type: header.readUInt16BE(6),
      cookie: header.readBigUInt64BE(8),
      offset: header.readBigUInt64BE(16),
      length: header.readUInt32BE(24),
      index,
    };
    if (request.type === 2) return void socket.end();
    const own = await script.answer?.(request, socket);
    if (own) socket.write(own);
    else if (request.type === 7) socket.write(Buffer.concat(statuses(request, contexts)));
    else if (isStructured) socket.write(data(request));
    else socket.write(simple(request.cookie, 0, content(Number(request.offset), request.length)));
  }
}

function statuses({ cookie, length }: Request, contexts: string[]): Buffer[] {
  return contexts.map((_, id) =>
    chunk(cookie, 5, Buffer.concat([u32(id + 1), u32(length), u32(0)]), id === contexts.length - 1 ? 1 : 0),
  );
}
