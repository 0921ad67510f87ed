// The page endpoint as a process of its own: makes one staging blob, tells its signed address, and serves it until its
// parent is gone.
import { randomUUID } from 'node:crypto';
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { openTokens } from '../../local/identity/tokens.ts';
import { ensurePki, trustCa } from '../../local/pki.ts';
import { startStorage } from '../../local/storage/server.ts';
import { fixedVhdFooter, vhdDiskSizeOf, vhdSizeOf } from '../../shared/model/vhd.ts';

const [folder = '', size = ''] = process.argv.slice(2);
const sizeBytes = Number(size);
const account = 'bench';
const accountKey = Buffer.alloc(32, 7).toString('base64');
const aDay = 86_400_000;

const pki = await ensurePki(folder);
trustCa(pki.ca);
const tokens = await openTokens(undefined, 'https://issuer.test', '11111111-1111-4111-8111-111111111111');
const storage = await startStorage({
  dataDir: folder,
  tls: pki,
  accounts: [{ name: account, key: accountKey }],
  verifyToken: tokens.verify,
  log: (line) => console.error(line),
});
const token = await tokens.issue({ oid: randomUUID(), name: 'bench' }, 'https://storage.azure.com', aDay / 1000);
const service = new BlobServiceClient(`${storage.endpoint}/${account}`, {
  getToken: async () => ({ token, expiresOnTimestamp: Date.now() + aDay }),
});
const container = service.getContainerClient('staging');
await container.createIfNotExists();
const blob = container.getPageBlobClient('disk.vhd');
await blob.create(vhdSizeOf(sizeBytes));
await blob.uploadPages(fixedVhdFooter(sizeBytes, 'disk.vhd'), vhdDiskSizeOf(sizeBytes), 512);
const sas = generateBlobSASQueryParameters(
  {
    containerName: 'staging',
    blobName: 'disk.vhd',
    permissions: BlobSASPermissions.parse('rw'),
    expiresOn: new Date(Date.now() + aDay),
  },
  new StorageSharedKeyCredential(account, accountKey),
);
process.on('disconnect', () => process.exit());
process.send?.({ url: `${blob.url}?${sas}`, ca: pki.caFile });
