import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensurePki, trustCa } from '../../local/pki.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'pki-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dataDir, { recursive: true, force: true });
});

/** By fingerprint, for one certificate may come in several PEM spellings. */
function trusted(): Set<string> {
  return new Set(getCACertificates('default').map((pem) => new X509Certificate(pem).fingerprint256));
}

describe('the local certificate authority', () => {
  it('is made once and kept, with keys that only the owner can read', async () => {
    const first = await ensurePki(dataDir);
    expect(await ensurePki(dataDir)).toEqual(first);
    expect(first.caFile).toBe(join(dataDir, 'pki', 'ca.crt'));
    for (const name of ['ca.key', 'server.key']) {
      expect(statSync(join(dataDir, 'pki', name)).mode & 0o777).toBe(0o600);
    }
  });

  it('names every loopback host in the server certificate', async () => {
    const { cert, ca, caFile } = await ensurePki(undefined);
    const certificate = new X509Certificate(cert);
    expect(caFile).toBeUndefined();
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('re-issues the server certificate when it nears expiry, under the same CA', async () => {
    const first = await ensurePki(dataDir);
    vi.useFakeTimers({ now: Date.now() + 380 * 86_400_000, toFake: ['Date'] });
    const second = await ensurePki(dataDir);
    expect(second.ca).toBe(first.ca);
    expect(second.cert).not.toBe(first.cert);
    expect(Date.parse(new X509Certificate(second.cert).validTo)).toBeGreaterThan(Date.now() + 300 * 86_400_000);
  });

  it('re-issues the server certificate when another CA has signed it', async () => {
    const first = await ensurePki(dataDir);
    const other = await ensurePki(undefined);
    writeFileSync(join(dataDir, 'pki', 'server.crt'), other.cert);
    const second = await ensurePki(dataDir);
    expect(new X509Certificate(second.cert).verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  });

  it('is trusted by fetch, https and the Azure SDKs after trustCa, and nothing is trusted less', async () => {
    const pki = await ensurePki(undefined);
    const server = createServer({ key: pki.key, cert: pki.cert }, (_request, response) => {
      response.setHeader('content-type', 'application/xml');
      response.end('<?xml version="1.0"?><EnumerationResults><Containers/></EnumerationResults>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    try {
      await expect(fetch(url)).rejects.toThrow();
      const before = trusted();
      trustCa(pki.ca);
      trustCa(pki.ca);
      const after = trusted();
      expect(after.size).toBe(before.size + 1);
      expect([...before].filter((certificate) => !after.has(certificate))).toEqual([]);

      expect((await fetch(url)).status).toBe(200);
      expect((await fetch(url.replace('localhost', '127.0.0.1'))).status).toBe(200);
      const status = await new Promise((resolve, reject) => {
        get(url, (response) => resolve(response.resume().statusCode)).on('error', reject);
      });
      expect(status).toBe(200);
      const credential = { getToken: async () => ({ token: 't', expiresOnTimestamp: Date.now() + 3_600_000 }) };
      const containers = new BlobServiceClient(`${url}/account`, credential).listContainers();
      expect((await containers.next()).done).toBe(true);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
