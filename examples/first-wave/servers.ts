// The three servers of the laboratory: 120 MiB of disk each, filled with some text and some bytes that don't compress.
import type { LabServer } from '../harness/lab.ts';

export const servers: readonly LabServer[] = [
  { id: 'db-01', service: 'ledger', diskMiB: 120, dataMiB: 28 },
  { id: 'web-01', service: 'portal', diskMiB: 120, dataMiB: 20 },
  { id: 'jobs-01', service: 'scheduler', diskMiB: 120, dataMiB: 20 },
];
