// What the servers of these tests declare at start.
import type { CosmosDatabaseDeclaration } from '../../../local/cosmos/server.ts';

export const masterKey = Buffer.from('a key for tests only, of no other use').toString('base64');

export const databases: CosmosDatabaseDeclaration[] = [
  {
    name: 'test',
    containers: [
      {
        name: 'workloads',
        partitionKey: { paths: ['/waveId', '/workloadId'], kind: 'MultiHash', version: 2 },
        indexingPolicy: {
          compositeIndexes: [
            [
              { path: '/kind', order: 'ascending' },
              { path: '/version', order: 'descending' },
            ],
          ],
        },
      },
      { name: 'waves', partitionKey: { paths: ['/waveId'], version: 2 } },
      { name: 'sources', partitionKey: { paths: ['/id'] } },
      {
        name: 'kept',
        partitionKey: { paths: ['/waveId'], version: 2 },
        throughput: 20_000,
        changeFeedPolicy: { retentionDuration: 60 },
      },
      { name: 'leases', partitionKey: { paths: ['/id'], version: 2 }, defaultTtl: -1 },
    ],
  },
];
