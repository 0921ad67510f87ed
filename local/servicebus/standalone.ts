// Service Bus as a program of its own; see docs/local-servicebus.md.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { takeDirectory } from '../directoryLock.ts';
import { verifier, whole } from '../options.ts';
import { ensurePki } from '../pki.ts';
import { readNamespaceFile } from './configFile.ts';
import { startServiceBus } from './index.ts';

export const usage = `landfall local servicebus [options]

  --port N       where to listen on 127.0.0.1, for AMQP, AMQP over TLS, https and http alike; 5672 if absent, 0 for any free port
  --data DIR     where messages and the certificate are kept; .landfall/servicebus if absent
  --memory       keeps nothing
  --config FILE  entities and keys, in the shape of Config.json of Microsoft's emulator
  --issuer URL   accepts Entra tokens of this issuer as well (with --jwks)
  --jwks URL     where the issuer's keys are
`;

export async function start(args: string[], log: (line: string) => void) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '5672' },
      data: { type: 'string', default: join('.landfall', 'servicebus') },
      memory: { type: 'boolean', default: false },
      config: { type: 'string' },
      issuer: { type: 'string' },
      jwks: { type: 'string' },
    },
  });
  const port = whole('port', values.port, 0, 65_535);
  const namespace = readNamespaceFile(values.config === undefined ? undefined : resolve(values.config));
  const dataDir = values.memory ? undefined : resolve(values.data);
  if (dataDir !== undefined) takeDirectory(dataDir);
  const tls = await ensurePki(dataDir);
  const verifyToken = values.issuer === undefined ? undefined : await verifier(values.issuer, values.jwks);
  const bus = await startServiceBus({ port, dataDir, tls, namespace, verifyToken, log });
  const [key] = namespace.AuthorizationRules;
  const connectionString = `Endpoint=${bus.endpoint};SharedAccessKeyName=${key?.KeyName};SharedAccessKey=${key?.Key}`;
  const { caFile } = tls;
  return { ready: { endpoint: bus.endpoint, connectionString, ...(caFile && { caFile }), dataDir }, stop: bus.stop };
}
