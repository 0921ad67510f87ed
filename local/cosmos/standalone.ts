// The Cosmos DB server as a program of its own; see docs/local-cosmos.md.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { takeDirectory } from '../directoryLock.ts';
import { verifier, whole } from '../options.ts';
import { startCosmos } from './server.ts';

// https://learn.microsoft.com/azure/cosmos-db/emulator#authentication: public, and what clients of an emulator expect.
const WELL_KNOWN_KEY = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==';

export const usage = `landfall local cosmos [options]

  --port N          where to listen on 127.0.0.1; 8081 if absent, 0 for any free port
  --data DIR        where the data is kept; .landfall/cosmos if absent
  --memory          keeps nothing
  --key BASE64      the account's key; the public one of Microsoft's emulator if absent
  --tls             HTTPS by a certificate authority of its own; its file is told as caFile
  --issuer URL      accepts Entra tokens of this issuer as well (with --tls and --jwks)
  --jwks URL        where the issuer's keys are
  --partitions N    physical partitions of a container that is made without throughput; 1 if absent
  --throttle        makes provisioned throughput a limit (429)
  --databases FILE  what is made at start: [{"name", "containers": [{"name", "partitionKey": {"paths"}}]}]
`;

export async function start(args: string[], log: (line: string) => void) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8081' },
      data: { type: 'string', default: join('.landfall', 'cosmos') },
      memory: { type: 'boolean', default: false },
      key: { type: 'string', default: WELL_KNOWN_KEY },
      tls: { type: 'boolean', default: false },
      issuer: { type: 'string' },
      jwks: { type: 'string' },
      partitions: { type: 'string', default: '1' },
      throttle: { type: 'boolean', default: false },
      databases: { type: 'string' },
    },
  });
  const dataDir = values.memory ? undefined : resolve(values.data);
  if (dataDir !== undefined) takeDirectory(dataDir);
  const tls = values.tls ? await certificates(dataDir) : undefined;
  const running = await startCosmos({
    ...(dataDir !== undefined && { dataDir }),
    ...(tls && { tls }),
    port: whole('port', values.port, 0, 65_535),
    masterKey: checkedKey(values.key),
    ...(values.issuer !== undefined && { verifyToken: await verifier(values.issuer, values.jwks) }),
    partitions: whole('partitions', values.partitions, 1, 1000),
    isThrottled: values.throttle,
    ...(values.databases !== undefined && { databases: await readDatabases(values.databases) }),
    log,
  });
  const { endpoint, stop } = running;
  return { ready: { endpoint, key: values.key, ...(tls?.caFile && { caFile: tls.caFile }), dataDir }, stop };
}

/** Only who wants HTTPS pays for loading what makes certificates. */
async function certificates(dataDir: string | undefined) {
  if (dataDir === undefined) throw new Error('--tls needs a --data folder for its certificates; leave out --memory.');
  const { ensurePki } = await import('../pki.ts');
  return ensurePki(dataDir);
}

async function readDatabases(path: string) {
  const { readDeclarations } = await import('./declarations.ts');
  return readDeclarations(path);
}

function checkedKey(key: string): string {
  if (Buffer.from(key, 'base64').toString('base64') === key && key !== '') return key;
  throw new Error('--key must be Base64.');
}
