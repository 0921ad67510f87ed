// The definition of a container: what a client may say in it, and what is read out of it.
import { badRequest } from '../errors.ts';
import { type JsonObject, member } from '../json.ts';
import { parsePartitionKeyDefinition } from '../partition/key.ts';

const DEFAULT_INDEXING: JsonObject = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
};

/** What a client sent, checked and with the service's defaults; throws 400. */
export function containerDefinition(sent: JsonObject): JsonObject {
  parsePartitionKeyDefinition(sent.partitionKey);
  const definition: JsonObject = { id: sent.id ?? null, indexingPolicy: sent.indexingPolicy ?? DEFAULT_INDEXING };
  definition.partitionKey = sent.partitionKey ?? null;
  definition.conflictResolutionPolicy = sent.conflictResolutionPolicy ?? {
    mode: 'LastWriterWins',
    conflictResolutionPath: '/_ts',
    conflictResolutionProcedure: '',
  };
  if (sent.defaultTtl !== undefined && sent.defaultTtl !== null) definition.defaultTtl = sent.defaultTtl;
  const { uniqueKeyPolicy, changeFeedPolicy } = sent;
  if (uniqueKeyPolicy) definition.uniqueKeyPolicy = uniqueKeyPolicy;
  if (changeFeedPolicy) definition.changeFeedPolicy = changeFeedPolicy;
  ttlOf(definition);
  uniqueKeysOf(definition);
  retentionOf(definition);
  return definition;
}

export function retentionOf(definition: JsonObject): number {
  const minutes = member(definition.changeFeedPolicy, 'retentionDuration') ?? 0;
  if (typeof minutes === 'number' && Number.isInteger(minutes) && minutes >= 0) return minutes;
  throw badRequest('The retentionDuration of a change feed policy must be a whole number of minutes.');
}

export function ttlOf(definition: JsonObject): number | undefined {
  const ttl = member(definition, 'defaultTtl');
  if (ttl === undefined) return undefined;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || (ttl !== -1 && ttl < 1)) {
    throw badRequest('defaultTtl must be -1 or a positive number of seconds.');
  }
  return ttl;
}

/** The paths of each unique key of a container's definition; throws 400. */
export function uniqueKeysOf(definition: JsonObject): string[][] {
  const keys = member(definition.uniqueKeyPolicy, 'uniqueKeys') ?? [];
  if (!Array.isArray(keys)) throw badRequest('A unique key policy needs `uniqueKeys`: a list.');
  return keys.map((key) => {
    const paths = member(key, 'paths');
    const isList = Array.isArray(paths) && paths.length > 0;
    if (!isList || !paths.every((path) => typeof path === 'string' && path.startsWith('/'))) {
      throw badRequest('A unique key needs `paths`: a list of property paths that start with "/".');
    }
    return paths.map(String);
  });
}
