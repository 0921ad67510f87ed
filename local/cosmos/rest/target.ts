// Which part of a container a request is about, and how much of it at once.
import { badRequest, CosmosError } from '../errors.ts';
import { type EpkRange, intersection, type PartitionKey, parseKeyHeader, rangeOfKey } from '../partition/key.ts';
import { rangeAt } from '../partition/physical.ts';
import type { Container } from '../store/catalog.ts';
import { header, type Request } from './message.ts';

export interface Target {
  /** The partition key of the request, or the leading levels of one. */
  key: PartitionKey | undefined;
  /** The physical partition that serves it. */
  rangeId: number;
  /** The part of the hash range that it is about; undefined = all of it. */
  range: EpkRange | undefined;
  /** Whether the client has chosen a partition, so that nothing needs merging. */
  isChosen: boolean;
}

/** Throws 410 with substatus 1002 for a physical partition that is gone. */
export function targetOf(request: Request, container: Container): Target {
  const rangeId = header(request, 'x-ms-documentdb-partitionkeyrangeid');
  const physical = container.ranges.find(({ id }) => String(id) === rangeId);
  if (rangeId !== undefined && !physical) {
    throw new CosmosError(410, 'Gone', `The partition key range ${rangeId} does not exist (any more).`, 1002);
  }
  const sent = header(request, 'x-ms-documentdb-partitionkey');
  if (sent !== undefined) {
    const key = parseKeyHeader(container.partitionKey, sent);
    const home = rangeAt(container.ranges, key.epk);
    return { key, rangeId: home?.id ?? 0, range: rangeOfKey(key), isChosen: true };
  }
  const min = header(request, 'x-ms-start-epk');
  const max = header(request, 'x-ms-end-epk');
  const range = intersection(physical, min === undefined || max === undefined ? undefined : { min, max });
  return {
    key: undefined,
    rangeId: physical?.id ?? container.ranges[0]?.id ?? 0,
    range,
    isChosen: physical !== undefined,
  };
}

export function requiredKey({ key }: Target): PartitionKey {
  if (!key) throw badRequest('PartitionKey value must be supplied for this operation.');
  if (key.isPrefix) throw badRequest('This operation needs all levels of the partition key.', 1001);
  return key;
}

export function pageSize(request: Request): number {
  const size = Number(header(request, 'x-ms-max-item-count') ?? -1);
  if (!Number.isInteger(size) || size === 0 || size < -1)
    throw badRequest('x-ms-max-item-count must be -1 or positive.');
  return size === -1 ? 1000 : size;
}
