import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { openTokens, type Tokens } from '../../../local/identity/tokens.ts';
import { ensurePki, type Pki, trustCa } from '../../../local/pki.ts';
import { type RunningStorage, startStorage } from '../../../local/storage/server.ts';

export const account = 'staging';
export const accountKey = Buffer.alloc(32, 7).toString('base64');
export const tenantId = '11111111-1111-4111-8111-111111111111';
export const oid = '22222222-2222-4222-8222-222222222222';

export interface Harness {
  dataDir: string;
  pki: Pki;
  tokens: Tokens;
  storage: RunningStorage;
  service: BlobServiceClient;
  lines: string[];
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A running storage server, trusted by this process, with a client that has a token of a local issuer. */
export async function startHarness(): Promise<Harness> {
  const dataDir = mkdtempSync(join(tmpdir(), 'storage-'));
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  const tokens = await openTokens(undefined, 'https://issuer.test', tenantId);
  const lines: string[] = [];
  const accounts = [
    { name: account, key: accountKey },
    { name: 'other', key: Buffer.alloc(32, 8).toString('base64') },
  ];
  const start = (port = 0) =>
    startStorage({ dataDir, port, tls: pki, accounts, verifyToken: tokens.verify, log: (line) => lines.push(line) });
  const storage = await start();
  const token = await tokens.issue({ oid, name: 'test' }, 'https://storage.azure.com', 3600);
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  // A restart closes connections that the client has kept; one more try is what any client needs then.
  const options = { retryOptions: { maxTries: 3, retryDelayInMs: 5 } };
  const harness: Harness = {
    dataDir,
    pki,
    tokens,
    storage,
    lines,
    service: new BlobServiceClient(`${storage.endpoint}/${account}`, credential, options),
    async restart() {
      await harness.storage.stop();
      harness.storage = await start(Number(new URL(storage.endpoint).port));
    },
    async stop() {
      await harness.storage.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return harness;
}

/** The code and status that an SDK call fails with. */
export async function failure(call: Promise<unknown>): Promise<{ code: string; status: number }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('The call was expected to fail');
  const { code, statusCode, details } = error as {
    code?: string;
    statusCode?: number;
    details?: { errorCode?: string };
  };
  return { code: code ?? details?.errorCode ?? '', status: statusCode ?? 0 };
}
