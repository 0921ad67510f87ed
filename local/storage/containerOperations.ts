// Containers, the lists, and the key with which an Entra identity signs delegated access.
import { readBody } from '../loopback.ts';
import { type Answer, type Call, header, metadataHeaders, metadataOf } from './call.ts';
import {
  type Blob,
  type Container,
  dropBlob,
  findContainer,
  listBlobs,
  newEtag,
  removeLayers,
  requireContainer,
} from './catalogue.ts';
import { checkConditions } from './conditions.ts';
import { StorageError } from './errors.ts';
import { leaseHeaders } from './leases.ts';
import { delegationKey } from './sas.ts';
import { document, element, elements } from './xml.ts';

const DAY = 86_400_000;
const MAX_RESULTS = 5000;

export async function createContainer(call: Call): Promise<Answer> {
  call.access.require();
  const { store, account, container } = call;
  if (!/^(?!.*--)[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/.test(container)) {
    throw new StorageError('InvalidResourceName', 'The specified resource name contains invalid characters.');
  }
  return store.commit.write(() => {
    if (findContainer(store, account, container)) {
      throw new StorageError('ContainerAlreadyExists', 'The specified container already exists.');
    }
    return { status: 201, headers: containerHeaders(saveContainer(call, metadataOf(call))) };
  });
}

export async function getContainer(call: Call): Promise<Answer> {
  call.access.require();
  const container = requireContainer(call.store, call.account, call.container);
  const headers = {
    'x-ms-lease-state': 'available',
    'x-ms-lease-status': 'unlocked',
    'x-ms-has-immutability-policy': 'false',
  };
  return {
    status: 200,
    headers: { ...containerHeaders(container), ...metadataHeaders(container.metadata), ...headers },
  };
}

export async function setContainerMetadata(call: Call): Promise<Answer> {
  call.access.require();
  return call.store.commit.write(() => {
    checkConditions(call, { ...requireContainer(call.store, call.account, call.container), sequence: 0 });
    return { status: 200, headers: containerHeaders(saveContainer(call, metadataOf(call))) };
  });
}

export async function deleteContainer(call: Call): Promise<Answer> {
  call.access.require();
  const { store, account, container } = call;
  const unused = await store.commit.write(() => {
    checkConditions(call, { ...requireContainer(store, account, container), sequence: 0 });
    const dropped = listBlobs(store, account, container, '').flatMap((blob) => dropBlob(store, blob));
    store.sql.run('DELETE FROM containers WHERE account = ? AND name = ?', account, container);
    return dropped;
  });
  await removeLayers(store, unused);
  return { status: 202 };
}

export async function listContainers(call: Call): Promise<Answer> {
  call.access.require();
  const prefix = call.query.get('prefix') ?? '';
  const names = call.store.sql
    .all<{ name: string }>('SELECT name FROM containers WHERE account = ? ORDER BY name', call.account)
    .filter(({ name }) => name.startsWith(prefix));
  const { page, next } = paged(call, names);
  const written = page.map(({ name }) => {
    const { etag, modified } = requireContainer(call.store, call.account, name);
    const properties = elements({ 'Last-Modified': new Date(modified).toUTCString(), Etag: etag });
    return element('Container', element('Name', name, true) + element('Properties', properties));
  });
  return listing(call, element('Containers', written.join('')), next);
}

/** List Blobs, flat or by hierarchy, with snapshots where asked for. */
export async function listContainer(call: Call): Promise<Answer> {
  call.access.require('l');
  const { store, account, container, query } = call;
  requireContainer(store, account, container);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const include = (query.get('include') ?? '').split(',');
  const entries = new Map<string, { name: string; blob?: Blob }>();
  for (const blob of listBlobs(store, account, container, prefix)) {
    if (blob.snapshot && !include.includes('snapshots')) continue;
    const end = delimiter ? blob.name.indexOf(delimiter, prefix.length) : -1;
    if (end < 0) entries.set(`${blob.name}\n${blob.snapshot}`, { name: blob.name, blob });
    else entries.set(blob.name.slice(0, end + 1), { name: blob.name.slice(0, end + delimiter.length) });
  }
  const { page, next } = paged(call, [...entries.values()]);
  const written = page.map(({ name, blob }) =>
    blob
      ? element('Blob', writeBlob(blob, include.includes('metadata')))
      : element('BlobPrefix', element('Name', name, true)),
  );
  const asked = elements({ Prefix: prefix || undefined, Delimiter: delimiter || undefined });
  return listing(call, asked + element('Blobs', written.join('')), next);
}

/** Get User Delegation Key: derived, not stored, and valid for seven days at most. */
export async function userDelegationKey(call: Call): Promise<Answer> {
  const { caller } = call.access;
  if (!caller) throw new StorageError('AuthorizationFailure', 'Only a bearer token can get a user delegation key.');
  const text = (await readBody(call.request, 65_536)).toString('utf8');
  const time = (tag: string) => Date.parse(new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(text)?.[1] ?? '');
  const start = Number.isNaN(time('Start')) ? Date.now() : time('Start');
  const expiry = time('Expiry');
  if (!(expiry > Date.now() && expiry > start && expiry <= Date.now() + 7 * DAY + 60_000)) {
    throw new StorageError('InvalidXmlDocument', 'The key must expire within the next seven days.');
  }
  const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
  const scope = {
    skoid: caller.oid,
    sktid: caller.tenantId,
    skt: iso(start),
    ske: iso(expiry),
    sks: 'b',
    skv: header(call, 'x-ms-version') ?? '2020-12-06',
  };
  const body = elements({
    SignedOid: scope.skoid,
    SignedTid: scope.sktid,
    SignedStart: scope.skt,
    SignedExpiry: scope.ske,
    SignedService: scope.sks,
    SignedVersion: scope.skv,
    Value: delegationKey(call.delegationSecret, call.account, scope).toString('base64'),
  });
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: document('UserDelegationKey', body) };
}

function paged<T extends { name: string }>(call: Call, entries: T[]): { page: T[]; next: string } {
  const start = Number(call.query.get('marker') || 0);
  const limit = Math.min(Number(call.query.get('maxresults') || MAX_RESULTS), MAX_RESULTS);
  if (!Number.isSafeInteger(start) || !(limit >= 1)) {
    throw new StorageError('InvalidQueryParameterValue', 'The marker or maxresults is not valid.');
  }
  return {
    page: entries.slice(start, start + limit),
    next: start + limit < entries.length ? String(start + limit) : '',
  };
}

function listing(call: Call, content: string, next: string): Answer {
  const attributes = {
    ServiceEndpoint: `${call.endpoint}/${call.account}/`,
    ...(call.container && { ContainerName: call.container }),
  };
  const body = document('EnumerationResults', content + element('NextMarker', next), attributes);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function writeBlob(blob: Blob, withMetadata: boolean): string {
  const lease = blob.snapshot ? {} : leaseHeaders(blob);
  const properties = elements({
    'Creation-Time': new Date(blob.created).toUTCString(),
    'Last-Modified': new Date(blob.modified).toUTCString(),
    Etag: blob.etag,
    'Content-Length': blob.size,
    'Content-Type': blob.headers['content-type'],
    'Content-MD5': blob.headers['content-md5'],
    'x-ms-blob-sequence-number': blob.kind === 'PageBlob' ? blob.sequence : undefined,
    BlobType: blob.kind,
    LeaseStatus: lease['x-ms-lease-status'],
    LeaseState: lease['x-ms-lease-state'],
    LeaseDuration: lease['x-ms-lease-duration'],
    CopyId: blob.copy['x-ms-copy-id'],
    CopyStatus: blob.copy['x-ms-copy-status'],
    ServerEncrypted: 'true',
  });
  return (
    elements({ Name: blob.name, Snapshot: blob.snapshot || undefined }) +
    element('Properties', properties) +
    (withMetadata ? element('Metadata', elements(blob.metadata)) : '')
  );
}

function saveContainer({ store, account, container }: Call, metadata: Record<string, string>): Container {
  const saved = { name: container, etag: newEtag(), modified: Date.now(), metadata };
  store.sql.run(
    'INSERT OR REPLACE INTO containers VALUES (?, ?, ?, ?, ?)',
    account,
    saved.name,
    saved.etag,
    saved.modified,
    JSON.stringify(metadata),
  );
  return saved;
}

function containerHeaders({ etag, modified }: Container): Record<string, string> {
  return { etag, 'last-modified': new Date(modified).toUTCString() };
}
