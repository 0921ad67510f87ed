// From an address to an open export: socket, negotiation, TLS where the address asks for it.
import { readFile } from 'node:fs/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ByteReader } from './byteReader.ts';
import { NbdConnection } from './connection.ts';
import { Negotiation } from './negotiate.ts';
import { describeAddress, type NbdAddress, type NbdTls } from './uri.ts';
import { NbdLost, NbdRefused } from './wire.ts';

export interface NbdOptions {
  /** Metadata contexts to select, as many of them as the server has. */
  contexts?: readonly string[];
  /** How long connecting and negotiating may take, in milliseconds. */
  withinMs?: number;
  /** Without a byte for so long while it owes answers, the server counts as gone. */
  silenceMs?: number;
}

/**
 * Opens an export for reading.
 * @throws NbdLost if the server is away, NbdRefused if it does not want, NbdViolation if it breaks the protocol
 */
export function connectNbd(address: NbdAddress, options: NbdOptions = {}): Promise<NbdConnection> {
  const { contexts = [], silenceMs = 60_000, withinMs } = options;
  return negotiating(address, withinMs, async ({ negotiation, socket, reader }) => {
    const opened = await negotiation.open(contexts);
    return new NbdConnection(describeAddress(address), opened, socket, reader, silenceMs);
  });
}

/** Names of the server’s metadata contexts that match a query; none if it does not tell. */
export function listContexts(address: NbdAddress, query: string, withinMs?: number): Promise<string[]> {
  return negotiating(address, withinMs, async ({ negotiation, socket }) => {
    const names = await negotiation.listContexts(query);
    negotiation.abort();
    socket.end();
    return names;
  });
}

interface Greeted {
  negotiation: Negotiation;
  socket: Socket;
  reader: ByteReader;
}

async function negotiating<T>(
  address: NbdAddress,
  withinMs = 30_000,
  work: (greeted: Greeted) => Promise<T>,
): Promise<T> {
  const what = describeAddress(address);
  const opened: Socket[] = [];
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    for (const socket of opened) socket.destroy();
  }, withinMs);
  try {
    return await work(await greet(address, opened));
  } catch (error) {
    for (const socket of opened) socket.destroy();
    if (isLate) throw new NbdLost(`${what}: no answer within ${withinMs / 1000} s`);
    if (error instanceof NbdLost) throw new NbdLost(`${what}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

async function greet(address: NbdAddress, opened: Socket[]): Promise<Greeted> {
  const plain = connectSocket(address.where);
  opened.push(plain);
  const reader = new ByteReader(plain);
  const negotiation = new Negotiation(address, plain, reader);
  await negotiation.greet();
  if (!address.tls) return { negotiation, socket: plain, reader };
  await negotiation.startTls();
  reader.detach();
  // What happens to it from now on, the socket around it tells.
  plain.on('error', () => {});
  const secure = connectTls({ ...(await tlsOptions(address.tls, address)), socket: plain });
  opened.push(secure);
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', (error) =>
      reject(new NbdRefused(`${describeAddress(address)}: TLS failed: ${error.message}`)),
    );
    secure.once('close', () => reject(new NbdLost('the server closed the connection during the TLS handshake')));
  });
  const secureReader = new ByteReader(secure);
  return { negotiation: new Negotiation(address, secure, secureReader), socket: secure, reader: secureReader };
}

async function tlsOptions({ verify, certificates }: NbdTls, { where }: NbdAddress): Promise<ConnectionOptions> {
  const name = verify ?? ('host' in where ? where.host : '');
  // The name is sent to the server only if it is one: addresses are not allowed there (RFC 6066, section 3).
  const names = { host: name, ...(name && isIP(name) === 0 && { servername: name }) };
  const files = certificates === undefined ? {} : await certificatesIn(certificates);
  return { ...names, ...files, rejectUnauthorized: verify !== undefined, minVersion: 'TLSv1.2' };
}

async function certificatesIn(folder: string): Promise<Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>> {
  const optional = (name: string): Promise<Buffer | undefined> =>
    readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  const [ca, cert, key] = [
    await readFile(join(folder, 'ca-cert.pem')),
    await optional('client-cert.pem'),
    await optional('client-key.pem'),
  ];
  return { ca, ...(cert && key && { cert, key }) };
}
