// Several operations in one request: an atomic batch on one partition key, or a bulk request whose operations stand
// for themselves. https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch
import { badRequest, CosmosError, tooLarge } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject, member } from '../json.ts';
import { type PartitionKey, parseKeyHeader } from '../partition/key.ts';
import type { Container } from '../store/catalog.ts';
import type { Store, Transaction } from '../store/store.ts';
import {
  createItem,
  deleteItem,
  type Outcome,
  type Preconditions,
  readItem,
  replaceItem,
  upsertItem,
} from './items.ts';
import { patchItem } from './patch.ts';

export interface OperationResult {
  statusCode: number;
  subStatusCode?: number;
  requestCharge: number;
  eTag?: string;
  /** The item as JSON text. */
  body?: string;
  message?: string;
}

interface BatchAnswer {
  status: 200 | 207;
  results: OperationResult[];
}

const MAX_OPERATIONS = 100;
const MAX_BYTES = 2 * 1024 * 1024;
const FAILED_DEPENDENCY = 424;

/** Checks count and size; throws 400 or 413. */
export function checkBatch(body: unknown, bytes: number): Json[] {
  if (!Array.isArray(body) || body.length === 0) throw badRequest('A batch request needs a list of operations.');
  if (body.length > MAX_OPERATIONS) {
    throw badRequest(`Batch request has more operations than what is supported: ${body.length} > ${MAX_OPERATIONS}.`);
  }
  if (bytes > MAX_BYTES) throw tooLarge();
  return body;
}

/** All or nothing: on the first failure nothing is kept, and the other operations answer 424. */
export async function runAtomic(
  store: Store,
  container: Container,
  key: PartitionKey,
  operations: Json[],
  isMinimal: boolean,
): Promise<BatchAnswer> {
  let failedAt = -1;
  try {
    const results = await store.write(container, (transaction) =>
      operations.map((operation, index) => {
        failedAt = index;
        const result = toResult(runOne(transaction, key, operation), operation, isMinimal);
        failedAt = -1;
        return result;
      }),
    );
    return { status: 200, results };
  } catch (error) {
    if (failedAt < 0 || !(error instanceof CosmosError)) throw error;
    const results = operations.map((_, index) =>
      index === failedAt ? failure(error) : { statusCode: FAILED_DEPENDENCY, requestCharge: 0 },
    );
    return { status: 207, results };
  }
}

/** Each operation for itself, with its own partition key. */
export async function runBulk(
  store: Store,
  container: Container,
  operations: Json[],
  options: { isMinimal: boolean; continueOnError: boolean },
): Promise<BatchAnswer> {
  let isStopped = false;
  const results = await store.write(container, (transaction) =>
    operations.map((operation) => {
      if (isStopped) return { statusCode: FAILED_DEPENDENCY, requestCharge: 0 };
      try {
        const text = member(operation, 'partitionKey');
        const key = parseKeyHeader(container.partitionKey, typeof text === 'string' ? text : '[]');
        return toResult(runOne(transaction, key, operation), operation, options.isMinimal);
      } catch (error) {
        // A point operation checks everything before it writes, so a refused one has left no trace.
        if (!(error instanceof CosmosError)) throw error;
        isStopped = !options.continueOnError;
        return failure(error);
      }
    }),
  );
  return { status: results.every(({ statusCode }) => statusCode < 400) ? 200 : 207, results };
}

function runOne(transaction: Transaction, key: PartitionKey, operation: Json): Outcome {
  const when: Preconditions = {
    ifMatch: text(operation, 'ifMatch'),
    ifNoneMatch: text(operation, 'ifNoneMatch'),
  };
  const resource = member(operation, 'resourceBody');
  const type = text(operation, 'operationType');
  switch (type) {
    case 'Create':
      return createItem(transaction, key, document(resource));
    case 'Upsert':
      return upsertItem(transaction, key, document(resource), when);
    case 'Replace':
      return replaceItem(transaction, key, idOf(operation), document(resource), when);
    case 'Delete':
      return deleteItem(transaction, key, idOf(operation), when);
    case 'Read':
      return readItem(transaction, transaction.container, key, idOf(operation), transaction.now, when);
    case 'Patch':
      return patchItem(transaction, key, idOf(operation), resource, when);
    default:
      throw badRequest(`Batch operation type "${type ?? ''}" is unknown.`);
  }
}

function toResult({ status, charge, etag, body }: Outcome, operation: Json, isMinimal: boolean): OperationResult {
  const result: OperationResult = { statusCode: status, requestCharge: charge };
  if (etag !== undefined) result.eTag = etag;
  const isRead = member(operation, 'operationType') === 'Read';
  if (body !== undefined && (isRead || !isMinimal)) result.body = body;
  return result;
}

function failure({ status, substatus, message }: CosmosError): OperationResult {
  return {
    statusCode: status,
    requestCharge: 1,
    message,
    ...(substatus !== undefined && { subStatusCode: substatus }),
  };
}

function document(resource: Json | undefined): JsonObject {
  if (!isJsonObject(resource)) throw badRequest('This batch operation needs a resourceBody that is an object.');
  return resource;
}

function idOf(operation: Json): string {
  const id = text(operation, 'id');
  if (id === undefined) throw badRequest('This batch operation needs an id.');
  return id;
}

function text(operation: Json, name: string): string | undefined {
  const value = member(operation, name);
  return typeof value === 'string' ? value : undefined;
}
