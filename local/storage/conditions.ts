// Conditional headers. https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
import { type Call, header, numberHeader } from './call.ts';
import type { Blob } from './catalogue.ts';
import { NotModified, StorageError } from './errors.ts';

const names = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'x-ms-if-sequence-number-le',
  'x-ms-if-sequence-number-lt',
  'x-ms-if-sequence-number-eq',
];

/** Whether a write depends on the blob's state, so that it has to be alone with it from the check to the commit. */
export function isConditional(call: Call): boolean {
  return names.some((name) => header(call, name) !== undefined);
}

/** Checks the conditions against what exists; `undefined` is a blob that does not exist yet. */
export function checkConditions(call: Call, blob: Pick<Blob, 'etag' | 'modified' | 'sequence'> | undefined): void {
  const isRead = call.method === 'GET' || call.method === 'HEAD';
  const failed = () => {
    if (isRead) throw new NotModified();
    throw new StorageError('ConditionNotMet', 'The condition specified using HTTP conditional header(s) is not met.');
  };
  const refused = () => {
    throw new StorageError('ConditionNotMet', 'The condition specified using HTTP conditional header(s) is not met.');
  };
  const ifMatch = header(call, 'if-match');
  if (ifMatch !== undefined && !(blob && (ifMatch === '*' || ifMatch === blob.etag))) refused();
  if (!blob) return;

  const ifNoneMatch = header(call, 'if-none-match');
  if (ifNoneMatch === '*' && !isRead) throw new StorageError('BlobAlreadyExists', 'The specified blob already exists.');
  if (ifNoneMatch === '*' || ifNoneMatch === blob.etag) failed();
  const seconds = Math.floor(blob.modified / 1000) * 1000;
  const modifiedSince = dateHeader(call, 'if-modified-since');
  if (modifiedSince !== undefined && seconds <= modifiedSince) failed();
  const unmodifiedSince = dateHeader(call, 'if-unmodified-since');
  if (unmodifiedSince !== undefined && seconds > unmodifiedSince) refused();

  const atMost = numberHeader(call, 'x-ms-if-sequence-number-le');
  const below = numberHeader(call, 'x-ms-if-sequence-number-lt');
  const equal = numberHeader(call, 'x-ms-if-sequence-number-eq');
  const isOff =
    (atMost !== undefined && blob.sequence > atMost) ||
    (below !== undefined && blob.sequence >= below) ||
    (equal !== undefined && blob.sequence !== equal);
  if (isOff) throw new StorageError('SequenceNumberConditionNotMet', 'The sequence number condition is not met.');
}

function dateHeader(call: Call, name: string): number | undefined {
  const text = header(call, name);
  if (text === undefined) return undefined;
  const date = Date.parse(text);
  if (Number.isNaN(date)) throw new StorageError('InvalidHeaderValue', `The header ${name} is not a date.`);
  return date;
}
