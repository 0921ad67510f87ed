// Which part of a container a query or feed is about, and how much of it at once.
import { badRequest, CosmosError } from '../errors.ts';
import { type EpkRange, parseKeyHeader, rangeOfKey } from '../partition/key.ts';
import type { Container } from '../store/catalog.ts';
import { header, type Request } from './message.ts';

/** The part of the container that a request is about: a partition key (or its prefix), or a part of the hash range. */
export function targetRange(request: Request, container: Container): EpkRange | undefined {
  const rangeId = header(request, 'x-ms-documentdb-partitionkeyrangeid');
  if (rangeId !== undefined && rangeId !== '0') {
    throw new CosmosError(410, 'Gone', `The partition key range ${rangeId} does not exist.`, 1002);
  }
  const key = header(request, 'x-ms-documentdb-partitionkey');
  if (key !== undefined) return rangeOfKey(parseKeyHeader(container.partitionKey, key));
  const min = header(request, 'x-ms-start-epk');
  const max = header(request, 'x-ms-end-epk');
  return min === undefined || max === undefined ? undefined : { min, max };
}

export function pageSize(request: Request): number {
  const size = Number(header(request, 'x-ms-max-item-count') ?? -1);
  if (!Number.isInteger(size) || size === 0 || size < -1)
    throw badRequest('x-ms-max-item-count must be -1 or positive.');
  return size === -1 ? 1000 : size;
}
