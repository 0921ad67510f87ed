// What every blob has: Put Blob, Get Blob, properties, metadata, Snapshot Blob and Delete Blob.
import { createHash } from 'node:crypto';
import {
  type Answer,
  type Call,
  contentHeadersOf,
  header,
  metadataHeaders,
  metadataOf,
  nameOf,
  numberHeader,
  rangeOf,
  rangeWithin,
  requireHeader,
} from './call.ts';
import {
  type Blob,
  dropBlob,
  findBlob,
  lockKey,
  newEtag,
  removeLayers,
  requireBlob,
  requireContainer,
  saveBlob,
  snapshotsOf,
  touched,
} from './catalogue.ts';
import { checkConditions } from './conditions.ts';
import { readRange } from './content.ts';
import { StorageError } from './errors.ts';
import { putExtent } from './extents.ts';
import { checkLease, leaseHeaders } from './leases.ts';
import { changePageBlob, checkPageBlobSize } from './pageOperations.ts';

const MAX_BLOCK_BLOB = 64 << 20;
const PIECE = 1 << 20;

/** Put Blob: an empty page blob of a size, or a small block blob whole. */
export async function putBlob(call: Call): Promise<Answer> {
  const { store } = call;
  const name = nameOf(call);
  requireContainer(store, name.account, name.container);
  const type = requireHeader(call, 'x-ms-blob-type');
  if (type !== 'PageBlob' && type !== 'BlockBlob')
    throw new StorageError('NotImplemented', `${type} is not supported here.`);
  const isPage = type === 'PageBlob';
  const length = numberHeader(call, 'content-length');
  if (length === undefined) throw new StorageError('MissingContentLengthHeader', 'The content length is missing.');
  const size = isPage ? (numberHeader(call, 'x-ms-blob-content-length') ?? 0) : length;
  if (isPage) checkPageBlobSize(size);
  if (isPage && length > 0) throw new StorageError('InvalidHeaderValue', 'A page blob is created without content.');
  if (size > MAX_BLOCK_BLOB && !isPage)
    throw new StorageError('RequestBodyTooLarge', 'Block blobs are at most 64 MiB here.');

  const check = (): Blob | undefined => {
    const old = findBlob(store, name);
    call.access.require(...(old ? (['w'] as const) : (['c', 'w'] as const)));
    checkConditions(call, old);
    if (old) checkLease(call, old, true);
    return old;
  };
  check();
  const layer = await store.commit.write(() => store.sql.next());
  if (!isPage && size > 0) await writeBody(call, layer, size);

  const now = Date.now();
  const blob: Blob = {
    ...name,
    id: 0,
    snapshot: '',
    kind: type,
    size,
    etag: newEtag(),
    modified: now,
    created: now,
    headers: { 'content-type': header(call, 'content-type') ?? 'application/octet-stream', ...contentHeadersOf(call) },
    metadata: metadataOf(call),
    sequence: isPage ? (numberHeader(call, 'x-ms-blob-sequence-number') ?? 0) : 0,
    layer,
    born: layer,
    lease: undefined,
    copy: {},
  };
  return store.locks.hold(lockKey(name), 'exclusive', async () => {
    let unused = [layer];
    try {
      await store.commit.write(() => {
        const old = check();
        requireContainer(store, name.account, name.container);
        unused = old ? dropBlob(store, old) : [];
        blob.id = store.sql.next();
        saveBlob(store, { ...blob, lease: old?.lease });
        if (!isPage) putExtent(store.sql, blob.id, { start: 0, stop: size, layer, filled: 1 });
      });
    } finally {
      await removeLayers(store, unused);
    }
    return { status: 201, headers: { ...validators(blob), 'x-ms-request-server-encrypted': 'true' } };
  });
}

/** Get Blob and, for HEAD, Get Blob Properties. */
export async function getBlob(call: Call): Promise<Answer> {
  call.access.require('r');
  const blob = requireBlob(call.store, nameOf(call), call.snapshot);
  checkConditions(call, blob);
  checkLease(call, blob, false);
  const headers = { ...propertyHeaders(blob), 'x-ms-request-server-encrypted': 'true' };
  if (call.method === 'HEAD') return { status: 200, headers: { ...headers, 'content-length': blob.size } };

  const isPartial = rangeOf(call) !== undefined;
  const range = rangeWithin(call, blob.size);
  return {
    status: isPartial ? 206 : 200,
    headers: {
      ...headers,
      'content-length': range.stop - range.start,
      ...(isPartial && { 'content-range': `bytes ${range.start}-${range.stop - 1}/${blob.size}` }),
    },
    body: readRange(call.store, blob.id, range),
  };
}

/** Set Blob Properties and Set Blob Metadata. */
export function setProperties(call: Call): Promise<Answer> {
  call.access.require('w');
  return change(call, (blob) => {
    const changed = blob.kind === 'PageBlob' ? changePageBlob(call, blob) : blob;
    const onlyPages = ['x-ms-blob-content-length', 'x-ms-sequence-number-action'].some((name) => header(call, name));
    const headers = { 'content-type': blob.headers['content-type'] ?? '', ...contentHeadersOf(call) };
    return onlyPages ? changed : { ...changed, headers };
  });
}

export function setMetadata(call: Call): Promise<Answer> {
  call.access.require('w');
  return change(call, (blob) => ({ ...blob, metadata: metadataOf(call) }));
}

/** Snapshot Blob: the snapshot takes the extents, the blob goes on in a new layer, no byte moves. */
export async function snapshotBlob(call: Call): Promise<Answer> {
  call.access.require('c', 'w');
  const { store } = call;
  const name = nameOf(call);
  return store.locks.hold(lockKey(name), 'exclusive', () =>
    store.commit.write(() => {
      const blob = requireBlob(store, name);
      checkConditions(call, blob);
      if (header(call, 'x-ms-lease-id')) checkLease(call, blob, true);
      const metadata = metadataOf(call);
      const time = nextSnapshotTime(snapshotsOf(store, name).at(-1)?.snapshot);
      const hasOwn = Object.keys(metadata).length > 0;
      const snapshot: Blob = { ...blob, id: store.sql.next(), snapshot: time, lease: undefined };
      saveBlob(store, hasOwn ? { ...touched(snapshot), metadata } : snapshot);
      store.sql.run(
        'INSERT INTO extents SELECT ?, start, stop, layer, filled FROM extents WHERE blob = ?',
        snapshot.id,
        blob.id,
      );
      saveBlob(store, { ...blob, layer: store.sql.next() });
      return {
        status: 201,
        headers: { ...validators(blob), 'x-ms-snapshot': time, 'x-ms-request-server-encrypted': 'true' },
      };
    }),
  );
}

/** Delete Blob: a snapshot, a blob, or a blob with its snapshots. */
export async function deleteBlob(call: Call): Promise<Answer> {
  call.access.require('d');
  const { store, snapshot } = call;
  const name = nameOf(call);
  const option = header(call, 'x-ms-delete-snapshots')?.toLowerCase();
  if (option !== undefined && option !== 'include' && option !== 'only') {
    throw new StorageError('InvalidHeaderValue', 'x-ms-delete-snapshots is include or only.');
  }
  return store.locks.hold(lockKey(name), 'exclusive', async () => {
    const unused = await store.commit.write(() => {
      const blob = requireBlob(store, name, snapshot);
      checkConditions(call, blob);
      if (snapshot) return dropBlob(store, blob);
      checkLease(call, blob, true);
      const snapshots = snapshotsOf(store, name);
      if (snapshots.length > 0 && !option) {
        throw new StorageError('SnapshotsPresent', 'This operation is not permitted while the blob has snapshots.');
      }
      const dropped = option === 'only' ? snapshots : [...snapshots, blob];
      return dropped.flatMap((each) => dropBlob(store, each));
    });
    await removeLayers(store, unused);
    return { status: 202, headers: { 'x-ms-delete-type-permanent': 'true' } };
  });
}

export function validators({ etag, modified }: Pick<Blob, 'etag' | 'modified'>): Record<string, string> {
  return { etag, 'last-modified': new Date(modified).toUTCString() };
}

function change(call: Call, apply: (blob: Blob) => Blob): Promise<Answer> {
  const { store } = call;
  return store.locks.hold(lockKey(nameOf(call)), 'exclusive', () =>
    store.commit.write(() => {
      const blob = requireBlob(store, nameOf(call));
      checkConditions(call, blob);
      checkLease(call, blob, true);
      const changed = touched(apply(blob));
      saveBlob(store, changed);
      const sequence = changed.kind === 'PageBlob' ? changed.sequence : undefined;
      return { status: 200, headers: { ...validators(changed), 'x-ms-blob-sequence-number': sequence } };
    }),
  );
}

function propertyHeaders(blob: Blob): Record<string, string | number | undefined> {
  return {
    ...validators(blob),
    ...blob.headers,
    ...blob.copy,
    ...metadataHeaders(blob.metadata),
    ...(blob.snapshot ? {} : leaseHeaders(blob)),
    'x-ms-blob-type': blob.kind,
    'x-ms-blob-sequence-number': blob.kind === 'PageBlob' ? blob.sequence : undefined,
    'x-ms-creation-time': new Date(blob.created).toUTCString(),
    'x-ms-server-encrypted': 'true',
    'accept-ranges': 'bytes',
  };
}

/** Snapshot times have seven digits after the second; two snapshots of a blob never have the same. */
function nextSnapshotTime(latest: string | undefined): string {
  const time = `${new Date().toISOString().slice(0, -1)}0000Z`;
  if (latest === undefined || time > latest) return time;
  const ticks = Number(latest.slice(-5, -1));
  return ticks < 9999
    ? `${latest.slice(0, -5)}${String(ticks + 1).padStart(4, '0')}Z`
    : `${new Date(Date.parse(latest) + 1).toISOString().slice(0, -1)}0000Z`;
}

async function writeBody(call: Call, layer: number, size: number): Promise<void> {
  const { layers } = call.store;
  const md5 = header(call, 'content-md5') ?? header(call, 'x-ms-blob-content-md5');
  const hash = createHash('md5');
  let position = 0;
  let pending: Buffer[] = [];
  let pendingSize = 0;
  const flush = async () => {
    if (pendingSize > 0) await layers.write(layer, pending, position - pendingSize);
    pending = [];
    pendingSize = 0;
  };
  try {
    for await (const chunk of call.request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      pending.push(chunk);
      pendingSize += chunk.length;
      position += chunk.length;
      if (pendingSize >= PIECE) await flush();
    }
    await flush();
    if (position !== size) throw new StorageError('InvalidInput', 'The body ended early.');
    if (md5 && hash.digest('base64') !== md5) throw new StorageError('Md5Mismatch', 'The body does not match its MD5.');
    await layers.sync(layer);
  } catch (error) {
    await layers.remove(layer);
    throw error;
  }
}
