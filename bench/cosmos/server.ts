// The server as a process of its own, with its documents: `server.ts <folder>`. Tells its address and key.
import { createItem } from '../../local/cosmos/operations/items.ts';
import { keyOfDocument } from '../../local/cosmos/partition/key.ts';
import { startCosmos } from '../../local/cosmos/server.ts';
import { Store } from '../../local/cosmos/store/store.ts';
import { databaseName, documentOf, partitionKey, scanned, sized, sizes } from './documents.ts';

const [dataDir = ''] = process.argv.slice(2);
const masterKey = Buffer.from('for this bench only').toString('base64');
const aTime = 1000;

const store = new Store(dataDir, Date.now);
await store.define((catalog) => {
  catalog.createDatabase(databaseName);
  for (const id of ['items', ...sizes.map(sized)]) catalog.createContainer(databaseName, { id, partitionKey });
  const throughput = { throughput: scanned.throughput, isAutoscale: false };
  catalog.createContainer(databaseName, { id: scanned.container, partitionKey }, throughput);
});
const fill = async (name: string, count: number, keyOf: (n: number) => string): Promise<void> => {
  const container = store.catalog.container(databaseName, name);
  for (let from = 0; from < count; from += aTime) {
    await store.write(container, (transaction) => {
      for (let n = from; n < Math.min(count, from + aTime); n++) {
        const document = { ...documentOf(keyOf(n), n) };
        createItem(transaction, keyOfDocument(container.partitionKey, document), document);
      }
    });
  }
};
for (const size of sizes) await fill(sized(size), size, () => 'one');
await fill(scanned.container, scanned.documents, (n) => `p${n % scanned.partitions}`);
store.close();

const server = await startCosmos({ dataDir, masterKey, log: (line) => console.error(line) });
process.on('disconnect', () => process.exit());
process.send?.({ endpoint: server.endpoint, key: masterKey });
