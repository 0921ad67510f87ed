// The certificate authority of the local Azure. The Azure SDKs send bearer tokens over TLS only, so every local endpoint
// that takes one is https: this file makes one CA per data directory and one server certificate for loopback names.
// It must not replace anybody's trust: `trustCa` adds one CA to this process and leaves the system's store alone.
import './reflectMetadata.ts';
import { X509Certificate as NodeCertificate, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import * as x509 from '@peculiar/x509';

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

interface Issued {
  cert: string;
  key: string;
}

const DAY = 86_400_000;
const CA_DAYS = 3650;
// Clients such as Safari refuse server certificates that live longer: https://support.apple.com/en-us/103769
const SERVER_DAYS = 397;
const RENEW_BEFORE_DAYS = 30;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** The CA and server certificate of a data directory, made on first use and re-issued when near expiry. */
export async function ensurePki(dataDir: string | undefined): Promise<Pki> {
  const folder = dataDir === undefined ? undefined : join(dataDir, 'pki');
  if (folder) mkdirSync(folder, { recursive: true, mode: 0o700 });

  const oldCa = load(folder, 'ca');
  const ca = oldCa && isFresh(oldCa.cert) ? oldCa : store(folder, 'ca', await issueCa());
  const oldServer = load(folder, 'server');
  const server =
    oldServer && isFresh(oldServer.cert) && isIssuedBy(oldServer.cert, ca.cert)
      ? oldServer
      : store(folder, 'server', await issueServer(ca));
  return { ca: ca.cert, ...server, ...(folder && { caFile: join(folder, 'ca.crt') }) };
}

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

async function issueCa(): Promise<Issued> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=Landfall local CA ${randomBytes(4).toString('hex')}`,
      ...validFor(CA_DAYS),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

async function issueServer(ca: Issued): Promise<Issued> {
  const issuer = new x509.X509Certificate(ca.cert);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: 'CN=localhost',
      issuer: issuer.subject,
      ...validFor(SERVER_DAYS),
      publicKey: keys.publicKey,
      signingKey: await importKey(ca.key),
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (!der) throw new Error('The key of the local CA is not PEM');
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

function serialNumber(): string {
  // Positive and never empty: the first byte's top bit is clear and the next one set.
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - DAY), notAfter: new Date(now + days * DAY) };
}
