// The certificate authority of the local Azure. The Azure SDKs send bearer tokens over TLS only, so every local endpoint
// that takes one is https: this file makes one CA per data directory and one server certificate for loopback names.
// It must not replace anybody's trust: `trustCa` adds one CA to this process and leaves the system's store alone.
import { X509Certificate as NodeCertificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Issued } from './pkiIssue.ts';

export interface Pki {
  /** The CA's certificate, PEM. */
  ca: string;
  /** The server certificate for localhost, 127.0.0.1 and ::1, PEM. */
  cert: string;
  /** The server certificate's private key, PEM (PKCS #8). */
  key: string;
  /** Where the CA's certificate lies on disk, for NODE_EXTRA_CA_CERTS of other processes; absent when in memory. */
  caFile?: string;
}

const DAY = 86_400_000;
const RENEW_BEFORE_DAYS = 30;

/** The CA and server certificate of a data directory, made on first use and re-issued when near expiry. */
export async function ensurePki(dataDir: string | undefined): Promise<Pki> {
  const folder = dataDir === undefined ? undefined : join(dataDir, 'pki');
  if (folder) mkdirSync(folder, { recursive: true, mode: 0o700 });

  const oldCa = load(folder, 'ca');
  const ca = oldCa && isFresh(oldCa.cert) ? oldCa : store(folder, 'ca', await (await issuing()).issueCa());
  const oldServer = load(folder, 'server');
  const server =
    oldServer && isFresh(oldServer.cert) && isIssuedBy(oldServer.cert, ca.cert)
      ? oldServer
      : store(folder, 'server', await (await issuing()).issueServer(ca));
  return { ca: ca.cert, ...server, ...(folder && { caFile: join(folder, 'ca.crt') }) };
}

/** Loaded only when something is to be issued: that takes a third of what a part takes to start. */
const issuing = () => import('./pkiIssue.ts');

/** Makes this process trust `ca` beside what it trusts already: fetch, https and the Azure SDKs alike. */
export function trustCa(ca: string): void {
  const trusted = getCACertificates('default');
  const { fingerprint256 } = new NodeCertificate(ca);
  if (trusted.some((known) => new NodeCertificate(known).fingerprint256 === fingerprint256)) return;
  setDefaultCACertificates([...trusted, ca]);
}

function isFresh(cert: string): boolean {
  return Date.parse(new NodeCertificate(cert).validTo) - Date.now() > RENEW_BEFORE_DAYS * DAY;
}

function isIssuedBy(cert: string, ca: string): boolean {
  return new NodeCertificate(cert).verify(new NodeCertificate(ca).publicKey);
}

function load(folder: string | undefined, name: string): Issued | undefined {
  if (!folder || !existsSync(join(folder, `${name}.crt`)) || !existsSync(join(folder, `${name}.key`))) return undefined;
  const read = (suffix: string) => readFileSync(join(folder, `${name}.${suffix}`), 'utf8');
  return { cert: read('crt'), key: read('key') };
}

function store(folder: string | undefined, name: string, issued: Issued): Issued {
  if (!folder) return issued;
  // The key goes first and both by rename, so that a crash in between leaves no certificate without its key.
  for (const [suffix, text, mode] of [
    ['key', issued.key, 0o600],
    ['crt', issued.cert, 0o644],
  ] as const) {
    const path = join(folder, `${name}.${suffix}`);
    writeFileSync(`${path}.new`, text, { mode });
    renameSync(`${path}.new`, path);
  }
  return issued;
}
