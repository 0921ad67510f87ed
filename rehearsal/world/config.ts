// The settings of an app that nobody reaches: no address in here answers, and the key signs nothing that leaves the process.
import { generateKeyPairSync } from 'node:crypto';
import { readConfig } from '../../shared/config.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const config = readConfig({
  LANDFALL_PUBLIC_URL: 'http://127.0.0.1:7071',
  LANDFALL_AUTH_ISSUER: 'https://issuer.example/v2.0',
  LANDFALL_AUTH_AUDIENCE: 'api://landfall',
  LANDFALL_AUTH_JWKS_URL: 'http://127.0.0.1:1/keys',
  LANDFALL_SIGNING_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  LANDFALL_PLANNING_CLIENT_ID: 'planning',
  LANDFALL_REPLICATION_CLIENT_ID: 'replication',
  LANDFALL_CUTOVER_CLIENT_ID: 'cutover',
  LANDFALL_BUS_SEND_KEY: 'send-key',
  LANDFALL_BUS_LISTEN_KEY: 'listen-key',
  ServiceBus__fullyQualifiedNamespace: 'localhost:5671',
  Cosmos__accountEndpoint: 'https://localhost:8081',
});
