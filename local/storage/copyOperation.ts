// Copy Blob inside this server. The copy takes the source's extents and shares its layers, so it is done when it is
// acknowledged: its status is `success` at once, as Azure may answer for a copy within an account.
import { randomUUID } from 'node:crypto';
import { type Answer, type Call, header, metadataOf, nameOf, requireHeader } from './call.ts';
import {
  type Blob,
  type BlobName,
  dropBlob,
  findBlob,
  lockKey,
  newEtag,
  removeLayers,
  requireBlob,
  requireContainer,
  saveBlob,
} from './catalogue.ts';
import { checkConditions } from './conditions.ts';
import { StorageError } from './errors.ts';
import { checkLease } from './leases.ts';
import { validators } from './blobOperations.ts';
import { targetOf } from './target.ts';

const sourceConditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];

export async function copyBlob(call: Call): Promise<Answer> {
  const { store } = call;
  if (header(call, 'x-ms-requires-sync') === 'true')
    throw new StorageError('NotImplemented', 'Use the asynchronous copy.');
  if (sourceConditions.some((name) => header(call, `x-ms-source-${name}`) !== undefined)) {
    throw new StorageError('NotImplemented', 'Conditions on the copy source are not supported here.');
  }
  const url = new URL(requireHeader(call, 'x-ms-copy-source'));
  const source = sourceOf(call, url);
  const name = nameOf(call);

  return store.locks.holdAll([lockKey(name), lockKey(source.name)], async () => {
    let unused: number[] = [];
    const copied = await store.commit.write(() => {
      requireContainer(store, name.account, name.container);
      const from = findBlob(store, source.name, source.snapshot);
      if (!from) throw new StorageError('CannotVerifyCopySource', 'The copy source does not exist.');
      const old = findBlob(store, name);
      call.access.require(...(old ? (['w'] as const) : (['c', 'w'] as const)));
      checkConditions(call, old);
      if (old) checkLease(call, old, true);

      // A base blob goes on in a new layer, as after a snapshot: from now on the copy shows the old one, too.
      if (!from.snapshot) saveBlob(store, { ...from, layer: store.sql.next() });
      const copy = copyOf(call, from, url);
      const isOntoItself = old !== undefined && old.id === from.id;
      if (isOntoItself) throw new StorageError('InvalidInput', 'A blob cannot be copied onto itself.');
      saveBlobBeside(call, copy, from, old);
      unused = old ? dropBlob(store, old) : [];
      store.sql.run(`UPDATE blobs SET snapshot = '' WHERE id = ?`, copy.id);
      return copy;
    });
    await removeLayers(store, unused);
    const { copy } = requireBlob(store, name);
    return {
      status: 202,
      headers: {
        ...validators(copied),
        'x-ms-copy-id': copy['x-ms-copy-id'],
        'x-ms-copy-status': copy['x-ms-copy-status'],
      },
    };
  });
}

/** There is never a pending copy to abort. */
export async function abortCopy(): Promise<Answer> {
  throw new StorageError('NoPendingCopyOperation', 'There is currently no pending copy operation.');
}

/** Takes the source's extents before the old blob goes, which may be the last to hold their layers. */
function saveBlobBeside({ store }: Call, copy: Blob, from: Blob, old: Blob | undefined): void {
  saveBlob(store, { ...copy, snapshot: 'copying', lease: old?.lease });
  store.sql.run(
    'INSERT INTO extents SELECT ?, start, stop, layer, filled FROM extents WHERE blob = ?',
    copy.id,
    from.id,
  );
}

function copyOf(call: Call, from: Blob, url: URL): Blob {
  const layer = call.store.sql.next();
  const own = metadataOf(call);
  const now = Date.now();
  const withoutSignature = new URL(url);
  withoutSignature.searchParams.delete('sig');
  return {
    ...from,
    ...nameOf(call),
    id: call.store.sql.next(),
    snapshot: '',
    etag: newEtag(),
    modified: now,
    created: now,
    metadata: Object.keys(own).length > 0 ? own : from.metadata,
    layer,
    born: layer,
    lease: undefined,
    copy: {
      'x-ms-copy-id': randomUUID(),
      'x-ms-copy-status': 'success',
      'x-ms-copy-source': withoutSignature.href,
      'x-ms-copy-progress': `${from.size}/${from.size}`,
      'x-ms-copy-completion-time': new Date(now).toUTCString(),
    },
  };
}

function sourceOf(call: Call, url: URL): { name: BlobName; snapshot: string } {
  const isHere = ['localhost', '127.0.0.1'].includes(url.hostname) && url.port === new URL(call.endpoint).port;
  if (!isHere) throw new StorageError('CannotVerifyCopySource', 'Only blobs of this server can be copied.');
  const { account, container, blob, snapshot } = targetOf(url);
  if (!blob) throw new StorageError('CannotVerifyCopySource', 'The copy source is not a blob.');
  if (url.searchParams.has('sig')) call.checkSource(url).require('r');
  else if (!call.access.caller || account !== call.account) {
    throw new StorageError('CannotVerifyCopySource', 'The copy source needs a signature of its own.');
  }
  return { name: { account, container, name: blob }, snapshot };
}
