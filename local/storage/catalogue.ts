// The catalogue: containers, blobs and snapshots as rows, and the rules for layers that follow from them.
import { randomBytes } from 'node:crypto';
import type { GroupCommit } from '../sqlite.ts';
import { StorageError } from './errors.ts';
import type { Layers } from './layers.ts';
import type { Lease } from './leases.ts';
import type { Locks } from './locks.ts';
import type { Sql } from './sql.ts';

export interface BlobName {
  account: string;
  container: string;
  name: string;
}

export interface Blob extends BlobName {
  id: number;
  /** The snapshot's time as in its URL; empty for the base blob. */
  snapshot: string;
  kind: 'PageBlob' | 'BlockBlob';
  size: number;
  etag: string;
  modified: number;
  created: number;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  sequence: number;
  /** Where writes go; for a snapshot, where the last of its writes went. */
  layer: number;
  /** The first layer of this incarnation: snapshots below it belong to a blob that was overwritten. */
  born: number;
  lease: Lease | undefined;
  /** The copy that made this blob, as response headers. */
  copy: Record<string, string>;
}

interface BlobRow extends BlobName {
  id: number;
  snapshot: string;
  kind: Blob['kind'];
  size: number;
  etag: string;
  modified: number;
  created: number;
  headers: string;
  metadata: string;
  sequence: number;
  layer: number;
  born: number;
  lease: string;
  copy: string;
}

export interface Container {
  name: string;
  etag: string;
  modified: number;
  metadata: Record<string, string>;
}

/** Everything that an operation works on. */
export interface Store {
  sql: Sql;
  commit: GroupCommit;
  layers: Layers;
  locks: Locks;
}

export const lockKey = ({ account, container, name }: BlobName): string => `${account}/${container}/${name}`;

export const newEtag = (): string => `"0x${randomBytes(8).toString('hex').toUpperCase()}"`;

export function findBlob({ sql }: Store, { account, container, name }: BlobName, snapshot = ''): Blob | undefined {
  const row = sql.get<BlobRow>(
    'SELECT * FROM blobs WHERE account = ? AND container = ? AND name = ? AND snapshot = ?',
    account,
    container,
    name,
    snapshot,
  );
  return row && fromRow(row);
}

export function requireBlob(store: Store, blobName: BlobName, snapshot = ''): Blob {
  const blob = findBlob(store, blobName, snapshot);
  if (blob) return blob;
  requireContainer(store, blobName.account, blobName.container);
  throw new StorageError('BlobNotFound', 'The specified blob does not exist.');
}

export function listBlobs({ sql }: Store, account: string, container: string, prefix: string): Blob[] {
  return sql
    .all<BlobRow>(
      `SELECT * FROM blobs WHERE account = ? AND container = ? AND substr(name, 1, ?) = ?
         ORDER BY name, snapshot = '', snapshot`,
      account,
      container,
      prefix.length,
      prefix,
    )
    .map(fromRow);
}

export function snapshotsOf({ sql }: Store, { account, container, name }: BlobName): Blob[] {
  return sql
    .all<BlobRow>(
      `SELECT * FROM blobs WHERE account = ? AND container = ? AND name = ? AND snapshot <> '' ORDER BY snapshot`,
      account,
      container,
      name,
    )
    .map(fromRow);
}

/** Writes a row, new or changed. A new base blob must have been cleared out by `dropBlob`. */
export function saveBlob({ sql }: Store, blob: Blob): void {
  sql.run(
    `INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET size = excluded.size, etag = excluded.etag, modified = excluded.modified,
         headers = excluded.headers, metadata = excluded.metadata, sequence = excluded.sequence, layer = excluded.layer,
         lease = excluded.lease, copy = excluded.copy`,
    blob.id,
    blob.account,
    blob.container,
    blob.name,
    blob.snapshot,
    blob.kind,
    blob.size,
    blob.etag,
    blob.modified,
    blob.created,
    JSON.stringify(blob.headers),
    JSON.stringify(blob.metadata),
    blob.sequence,
    blob.layer,
    blob.born,
    blob.lease ? JSON.stringify(blob.lease) : '',
    JSON.stringify(blob.copy),
  );
}

/** A changed blob: another etag and time. Leases do not count as changes. */
export function touched(blob: Blob): Blob {
  return { ...blob, etag: newEtag(), modified: Date.now() };
}

/** Removes a row with its extents and returns the layers that nothing uses any more, to be removed after the commit. */
export function dropBlob({ sql }: Store, { id, layer }: Blob): number[] {
  const used = sql.all<{ layer: number }>('SELECT DISTINCT layer FROM extents WHERE blob = ? AND filled = 1', id);
  sql.run('DELETE FROM blobs WHERE id = ?', id);
  const candidates = new Set([layer, ...used.map((row) => row.layer)]);
  return [...candidates].filter(
    (candidate) =>
      !sql.get('SELECT 1 FROM extents WHERE layer = ? AND filled = 1 LIMIT 1', candidate) &&
      !sql.get(`SELECT 1 FROM blobs WHERE layer = ? AND snapshot = '' LIMIT 1`, candidate),
  );
}

export async function removeLayers({ layers }: Store, unused: number[]): Promise<void> {
  for (const layer of unused) await layers.remove(layer);
}

/** Removes the files of layers that no row refers to: what a crash between commit and unlink has left. */
export function removeOrphans({ sql, layers }: Store): void {
  const known = sql.all<{ layer: number }>(
    'SELECT layer FROM blobs UNION SELECT DISTINCT layer FROM extents WHERE filled = 1',
  );
  layers.removeAllBut(new Set(known.map(({ layer }) => layer)));
}

export function findContainer({ sql }: Store, account: string, name: string): Container | undefined {
  const row = sql.get<Omit<Container, 'metadata'> & { metadata: string }>(
    'SELECT name, etag, modified, metadata FROM containers WHERE account = ? AND name = ?',
    account,
    name,
  );
  return row && { ...row, metadata: JSON.parse(row.metadata) as Record<string, string> };
}

export function requireContainer(store: Store, account: string, name: string): Container {
  const container = findContainer(store, account, name);
  if (!container) throw new StorageError('ContainerNotFound', 'The specified container does not exist.');
  return container;
}

function fromRow(row: BlobRow): Blob {
  const parse = (text: string) => JSON.parse(text) as Record<string, string>;
  return {
    ...row,
    headers: parse(row.headers),
    metadata: parse(row.metadata),
    copy: parse(row.copy),
    lease: row.lease === '' ? undefined : (JSON.parse(row.lease) as Lease),
  };
}
