// What only page blobs have: Put Page (update and clear), Get Page Ranges, resize and sequence numbers.
import { withBody } from './body.ts';
import {
  type Answer,
  type Call,
  header,
  nameOf,
  numberHeader,
  PAGE,
  rangeOf,
  rangeWithin,
  requireHeader,
} from './call.ts';
import { type Blob, findBlob, lockKey, requireBlob, saveBlob, touched } from './catalogue.ts';
import { checkConditions, isConditional } from './conditions.ts';
import { StorageError } from './errors.ts';
import { changedRanges, pageRanges, putExtent, type Range } from './extents.ts';
import { checkLease } from './leases.ts';
import { document, element } from './xml.ts';

const MAX_PUT_PAGE = 4 << 20;
const MAX_PAGE_BLOB = 8 * 2 ** 40;
const MAX_RANGES = 10_000;

/** Put Page: the range is on the disk and in the catalogue before the answer. */
export async function putPage(call: Call): Promise<Answer> {
  call.access.require('w');
  const kind = requireHeader(call, 'x-ms-page-write').toLowerCase();
  if (kind !== 'update' && kind !== 'clear')
    throw new StorageError('InvalidHeaderValue', 'x-ms-page-write is update or clear.');
  const isUpdate = kind === 'update';
  const range = pageRange(call);
  const length = range.stop - range.start;
  if (isUpdate && length > MAX_PUT_PAGE) throw new StorageError('RequestBodyTooLarge', 'Put Page takes 4 MiB at most.');
  const expected = isUpdate ? length : 0;
  if ((numberHeader(call, 'content-length') ?? 0) !== expected) {
    throw new StorageError('InvalidHeaderValue', `The content length must be ${expected}.`);
  }
  if (!isUpdate) return writeRange(call, range, undefined);
  // The body is read before the lock is taken, so that a slow client holds nobody up.
  return withBody(call, expected, (body) => writeRange(call, range, body));
}

/** Writes a range, or clears it. */
function writeRange(call: Call, range: Range, body: Buffer | undefined): Promise<Answer> {
  const { store } = call;
  const check = (): Blob => {
    const blob = requirePageBlob(call);
    checkConditions(call, blob);
    checkLease(call, blob, true);
    if (range.stop > blob.size)
      throw new StorageError('InvalidPageRange', 'The page range is beyond the end of the blob.');
    return blob;
  };

  const mode = body && !isConditional(call) ? 'shared' : 'exclusive';
  return store.locks.hold(lockKey(nameOf(call)), mode, async () => {
    const { layer } = check();
    if (body) {
      await store.layers.write(layer, [body], range.start);
      await store.layers.sync(layer);
    }
    return store.commit.write(() => {
      const blob = check();
      putExtent(store.sql, blob.id, { ...range, layer, filled: body ? 1 : 0 });
      const changed = touched(blob);
      saveBlob(store, changed);
      return { status: 201, headers: pageHeaders(changed) };
    });
  });
}

/** Get Page Ranges, and with a previous snapshot what changed since. */
export async function getPageRanges(call: Call): Promise<Answer> {
  call.access.require('r');
  const { store, query } = call;
  const blob = requirePageBlob(call, call.snapshot);
  checkConditions(call, blob);
  checkLease(call, blob, false);
  if (header(call, 'x-ms-previous-snapshot-url')) {
    throw new StorageError('NotImplemented', 'Give the previous snapshot by the prevsnapshot parameter.');
  }
  const within = blob.size === 0 ? { start: 0, stop: 0 } : rangeWithin(call, blob.size);
  const marker = Number(query.get('marker') || within.start);
  const limit = Math.min(Number(query.get('maxresults') || MAX_RANGES), MAX_RANGES);
  if (!Number.isSafeInteger(marker) || !(limit >= 1)) {
    throw new StorageError('InvalidQueryParameterValue', 'The marker or maxresults is not a number.');
  }
  const rest = { start: Math.max(marker, within.start), stop: within.stop };
  const previousTime = query.get('prevsnapshot');
  const found = previousTime
    ? changedRanges(store.sql, blob.id, previousSnapshot(call, blob, previousTime), rest)
    : { pages: pageRanges(store.sql, blob.id, rest), clears: [] };

  const tagged = [
    ...found.pages.map((range) => ({ ...range, tag: 'PageRange' })),
    ...found.clears.map((range) => ({ ...range, tag: 'ClearRange' })),
  ].sort((a, b) => a.start - b.start);
  const page = tagged.slice(0, limit);
  const write = ({ tag, start, stop }: Range & { tag: string }) =>
    element(tag, element('Start', start) + element('End', stop - 1));
  const body = page.map(write).join('') + element('NextMarker', tagged[limit]?.start ?? '');
  const headers = { ...pageHeaders(blob), 'x-ms-blob-content-length': blob.size, 'content-type': 'application/xml' };
  return { status: 200, headers, body: document('PageList', body) };
}

/** Set Blob Properties on a page blob: size and sequence number. */
export function changePageBlob(call: Call, blob: Blob): Blob {
  const size = numberHeader(call, 'x-ms-blob-content-length');
  const changed = { ...blob, sequence: nextSequence(call, blob.sequence) };
  if (size === undefined) return changed;
  checkPageBlobSize(size);
  // Pages cut off are cleared and not forgotten: a blob that grows again must not show them, nor the diff.
  if (size < blob.size) {
    putExtent(call.store.sql, blob.id, { start: size, stop: blob.size, layer: blob.layer, filled: 0 });
  }
  return { ...changed, size };
}

export function checkPageBlobSize(size: number): void {
  if (size % PAGE !== 0) throw new StorageError('InvalidHeaderValue', 'The size of a page blob is a multiple of 512.');
  if (size > MAX_PAGE_BLOB) throw new StorageError('InvalidHeaderValue', 'A page blob holds at most 8 TiB.');
}

function nextSequence(call: Call, sequence: number): number {
  const action = header(call, 'x-ms-sequence-number-action')?.toLowerCase();
  const given = numberHeader(call, 'x-ms-blob-sequence-number');
  if (action === undefined) return sequence;
  if (action === 'increment') return sequence + 1;
  if (given === undefined) throw new StorageError('MissingRequiredHeader', 'x-ms-blob-sequence-number is missing.');
  if (action === 'update') return given;
  if (action === 'max') return Math.max(given, sequence);
  throw new StorageError('InvalidHeaderValue', `There is no sequence number action ${action}.`);
}

function previousSnapshot(call: Call, blob: Blob, time: string): Blob {
  const previous = findBlob(call.store, nameOf(call), time);
  if (!previous) throw new StorageError('PreviousSnapshotNotFound', 'The previous snapshot is not found.');
  if (blob.snapshot && previous.layer > blob.layer) {
    throw new StorageError('PreviousSnapshotCannotBeNewer', 'The previous snapshot cannot be newer than the snapshot.');
  }
  if (previous.born !== blob.born) {
    throw new StorageError('BlobOverwritten', 'The blob has been recreated since the previous snapshot was taken.');
  }
  return previous;
}

function requirePageBlob(call: Call, snapshot = ''): Blob {
  const blob = requireBlob(call.store, nameOf(call), snapshot);
  if (blob.kind !== 'PageBlob') throw new StorageError('InvalidBlobType', 'The blob is not a page blob.');
  return blob;
}

function pageRange(call: Call): Range {
  const range = rangeOf(call);
  if (range?.stop === undefined) throw new StorageError('MissingRequiredHeader', 'Put Page needs a range bytes=a-b.');
  if (range.start % PAGE !== 0 || range.stop % PAGE !== 0) {
    throw new StorageError('InvalidPageRange', 'Page ranges begin and end on multiples of 512.');
  }
  return { start: range.start, stop: range.stop };
}

function pageHeaders(blob: Blob): Record<string, string | number> {
  return {
    etag: blob.etag,
    'last-modified': new Date(blob.modified).toUTCString(),
    'x-ms-blob-sequence-number': blob.sequence,
    'x-ms-request-server-encrypted': 'true',
  };
}
