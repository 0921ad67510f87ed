// Physical partitions: a container's hash range in contiguous pieces, each with an id. Raising the throughput splits
// pieces; the ids of what was split are gone for good (410 with substatus 1002), and clients ask for the list again.
import { orderedHash } from './hash.ts';
import type { EpkRange, PartitionKeyDefinition } from './key.ts';

export interface PhysicalRange extends EpkRange {
  id: number;
  /** In 2^-32 of the hash space. */
  low: number;
  high: number;
  parents: number[];
}

/** Every 10,000 RU/s begun is a partition. https://learn.microsoft.com/azure/cosmos-db/partitioning-overview */
export const rangesFor = (throughput: number) => Math.max(1, Math.ceil(throughput / 10_000));

const SPACE = 2 ** 32;

export function evenRanges(definition: PartitionKeyDefinition, count: number): PhysicalRange[] {
  const bound = (at: number) => Math.ceil((at * SPACE) / count);
  return Array.from({ length: count }, (_, id) => physicalRange(definition, id, bound(id), bound(id + 1), []));
}

/** Halves the widest ranges until there are at least `count`. */
export function splitRanges(definition: PartitionKeyDefinition, ranges: PhysicalRange[], count: number) {
  const all = [...ranges];
  let next = Math.max(...all.map(({ id }) => id)) + 1;
  while (all.length < count) {
    const widest = all.reduce((best, range) => (range.high - range.low > best.high - best.low ? range : best));
    const { low, high, id, parents } = widest;
    const middle = Math.floor((low + high) / 2);
    const family = [...parents, id];
    const halves = [
      physicalRange(definition, next++, low, middle, family),
      physicalRange(definition, next++, middle, high, family),
    ];
    all.splice(all.indexOf(widest), 1, ...halves);
  }
  return all;
}

export function physicalRange(
  definition: PartitionKeyDefinition,
  id: number,
  low: number,
  high: number,
  parents: number[],
): PhysicalRange {
  return { id, low, high, parents, min: boundary(definition, low), max: boundary(definition, high) };
}

function boundary({ version }: PartitionKeyDefinition, at: number): string {
  if (at === 0) return '';
  if (at === SPACE) return 'FF';
  if (version !== 2) return orderedHash(at);
  // Version 2 hashes have 126 bits; the service's own boundaries end in a row of ones.
  return (BigInt(at) * 2n ** 94n - 1n).toString(16).toUpperCase().padStart(32, '0');
}

/** The range in which an effective partition key lies. */
export function rangeAt(ranges: readonly PhysicalRange[], epk: string): PhysicalRange | undefined {
  return ranges.find(({ max }) => epk < max);
}
