// A storage server in a process of its own, to be killed.
import { openTokens } from '../../../local/identity/tokens.ts';
import { ensurePki } from '../../../local/pki.ts';
import { startStorage } from '../../../local/storage/server.ts';

const [dataDir = '', account = '', key = ''] = process.argv.slice(2);
const tls = await ensurePki(dataDir);
const tokens = await openTokens(dataDir, 'https://issuer.test', 'tenant');
const accounts = [{ name: account, key }];
const storage = await startStorage({ dataDir, tls, accounts, verifyToken: tokens.verify });
const token = await tokens.issue({ oid: 'o', name: 'n' }, 'https://storage.azure.com', 3600);
console.log(JSON.stringify({ endpoint: storage.endpoint, ca: tls.ca, token }));
