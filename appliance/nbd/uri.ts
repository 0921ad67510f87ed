// NBD URIs: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/uri.md, with `tls-certificates` as libnbd has it:
// https://libguestfs.org/nbd_connect_uri.3.html
import { isIP } from 'node:net';

export interface NbdAddress {
  where: { host: string; port: number } | { path: string };
  exportName: string;
  tls?: NbdTls;
}

export interface NbdTls {
  /** The name that the server's certificate must have; undefined if it is not looked at. */
  verify: string | undefined;
  /** Folder with ca-cert.pem and, if the server asks for them, client-cert.pem and client-key.pem. */
  certificates?: string;
}

const schemes = /^nbds?(\+unix)?:/i;
const defaultPort = 10_809;

export const isNbdUri = (text: string): boolean => schemes.test(text);

/** Reads an NBD URI. Throws an Error that says what is wrong and with what. */
export function parseNbdUri(text: string): NbdAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`${text} is no URI`);
  }
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  if (!schemes.test(url.protocol)) throw new Error(`${scheme} is no NBD scheme: use nbd, nbds, nbd+unix or nbds+unix`);
  const isUnix = scheme.endsWith('+unix');
  const known = new Set([
    ...(isUnix ? ['socket'] : []),
    ...(scheme.startsWith('nbds') ? ['tls-type', 'tls-hostname', 'tls-verify-peer', 'tls-certificates'] : []),
  ]);
  for (const name of url.searchParams.keys())
    if (!known.has(name)) throw new Error(`the parameter ${name} means nothing for ${scheme}`);
  if (url.username || url.password)
    throw new Error('user names are of TLS with pre-shared keys, which is not supported');
  const where = isUnix ? unixSocket(url) : tcp(url);
  const address: NbdAddress = { where, exportName: decodeURIComponent(url.pathname.replace(/^\//, '')) };
  if (scheme.startsWith('nbds')) address.tls = tlsOf(url, 'host' in where ? where.host : undefined);
  return address;
}

function unixSocket(url: URL): { path: string } {
  if (url.host) throw new Error(`a Unix socket has no host: write ${url.protocol}///${url.host}?socket=…`);
  const path = url.searchParams.get('socket');
  if (!path) throw new Error('the parameter socket must name the Unix socket');
  return { path };
}

function tcp(url: URL): { host: string; port: number } {
  // Only schemes of the web have their host checked and unbracketed by URL.
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  if (!host) throw new Error('the host is missing');
  return { host, port: url.port ? Number(url.port) : defaultPort };
}

function tlsOf({ searchParams }: URL, host: string | undefined): NbdTls {
  const type = searchParams.get('tls-type') ?? 'x509';
  if (type !== 'x509') throw new Error(`TLS by ${type} is not supported, only by certificates (x509)`);
  const verifies = searchParams.get('tls-verify-peer') ?? '1';
  if (verifies !== '0' && verifies !== '1') throw new Error('tls-verify-peer is 0 or 1');
  const name = searchParams.get('tls-hostname') ?? host;
  if (verifies === '1' && !name)
    throw new Error('tls-hostname must say what the certificate is for: a Unix socket has no name');
  const certificates = searchParams.get('tls-certificates');
  return { verify: verifies === '1' ? name : undefined, ...(certificates && { certificates }) };
}

/** The URI as people should see it in messages. */
export function describeAddress({ where, exportName, tls }: NbdAddress): string {
  const place =
    'path' in where ? where.path : `${isIP(where.host) === 6 ? `[${where.host}]` : where.host}:${where.port}`;
  return `NBD export "${exportName}" at ${place}${tls ? ' (TLS)' : ''}`;
}
