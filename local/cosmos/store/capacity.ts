// What a container has been given: its provisioned throughput, if any, and its physical partitions.
import type { DatabaseSync } from 'node:sqlite';
import { badRequest } from '../errors.ts';
import type { PartitionKeyDefinition } from '../partition/key.ts';
import { evenRanges, type PhysicalRange, physicalRange, rangesFor, splitRanges } from '../partition/physical.ts';
import type { Container } from './catalog.ts';

export interface Throughput {
  /** Request units a second; of autoscale the most. */
  throughput: number;
  isAutoscale: boolean;
}

const LEAST = 100;

export class Capacity {
  readonly #sqlite: DatabaseSync;
  /** Physical partitions of a container that is made without throughput. */
  readonly #partitions: number;

  constructor(sqlite: DatabaseSync, partitions: number) {
    this.#sqlite = sqlite;
    this.#partitions = partitions;
  }

  /** A container that was stored before there were several ranges has one. */
  load(container: number, definition: PartitionKeyDefinition) {
    const rows = this.#sqlite.prepare('SELECT * FROM ranges WHERE container = ? ORDER BY low').all(container);
    const ranges = rows.map(({ id, low, high, parents }) => {
      const ids: number[] = JSON.parse(String(parents));
      return physicalRange(definition, Number(id), Number(low), Number(high), ids);
    });
    const offer = this.#sqlite.prepare('SELECT * FROM offers WHERE container = ?').get(container);
    const throughput = offer && {
      throughput: Number(offer.throughput),
      isAutoscale: Number(offer.isAutoscale) === 1,
    };
    return { ranges: ranges.length > 0 ? ranges : evenRanges(definition, 1), throughput };
  }

  create(container: number, definition: PartitionKeyDefinition, throughput: Throughput | undefined) {
    const ranges = evenRanges(definition, throughput ? rangesFor(throughput.throughput) : this.#partitions);
    if (throughput) this.#storeThroughput(container, throughput);
    this.#storeRanges(container, ranges);
    return { ranges, throughput };
  }

  /** More throughput splits partitions; less merges none, as in the service. */
  resize(container: Container, throughput: Throughput): void {
    const ranges = splitRanges(container.partitionKey, container.ranges, rangesFor(throughput.throughput));
    this.#storeThroughput(container.number, throughput);
    this.#storeRanges(container.number, ranges);
    Object.assign(container, { ranges, throughput });
  }

  #storeThroughput(container: number, { throughput, isAutoscale }: Throughput): void {
    if (!Number.isInteger(throughput) || throughput < LEAST || throughput % LEAST !== 0) {
      throw badRequest(
        `The offer throughput must be a multiple of ${LEAST} request units a second; it is ${throughput}.`,
      );
    }
    this.#sqlite
      .prepare('INSERT OR REPLACE INTO offers (container, throughput, isAutoscale) VALUES (?, ?, ?)')
      .run(container, throughput, Number(isAutoscale));
  }

  #storeRanges(container: number, ranges: PhysicalRange[]): void {
    this.#sqlite.prepare('DELETE FROM ranges WHERE container = ?').run(container);
    const insert = this.#sqlite.prepare('INSERT INTO ranges VALUES (?, ?, ?, ?, ?)');
    for (const { id, low, high, parents } of ranges) insert.run(container, id, low, high, JSON.stringify(parents));
  }
}
