// A local ARM in a process of its own, for tests that kill it. Options come as JSON; it prints its endpoint.
import { startArm } from '../../../local/arm/main.ts';
import { ensurePki } from '../../../local/pki.ts';

const { dataDir, port, declared } = JSON.parse(process.argv[2] ?? '{}');
const { endpoint } = await startArm({
  dataDir,
  port,
  declared,
  tls: await ensurePki(undefined),
  tenantId: '22222222-2222-4222-8222-222222222222',
  repoRoot: process.cwd(),
  openBlob: () => Promise.reject(new Error('no blobs here')),
  verifyToken: (jwt) => Promise.resolve({ oid: jwt.slice('test.'.length) }),
  latency: 30,
});
console.log(endpoint);
