// The documents: about 1 KB each, with properties to filter and to order by.
const filler = 'x'.repeat(800);

export interface Document {
  id: string;
  p: string;
  kind: string;
  n: number;
  filler: string;
}

/** `kind` is shared by ten documents, however many there are. */
export const documentOf = (p: string, n: number): Document => ({
  id: `d${n}`,
  p,
  kind: `kind-${Math.floor(n / 10)}`,
  n,
  filler,
});

export const partitionKey = { paths: ['/p'], kind: 'Hash', version: 2 };
export const databaseName = 'bench';
/** Containers with so many documents of one partition key. */
export const sizes = [1_000, 100_000] as const;
export const sized = (count: number): string => `sized-${count}`;
/** The facts' scan: documents over several partitions. */
export const scanned = { container: 'scanned', documents: 2_300, partitions: 23, throughput: 20_000 };
/** Documents of one transactional batch. */
export const inBatch = 50;
