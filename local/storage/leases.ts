// Leases on blobs: the states of https://learn.microsoft.com/rest/api/storageservices/lease-blob
import { randomUUID } from 'node:crypto';
import { type Answer, type Call, header, nameOf, requireHeader } from './call.ts';
import { type Blob, lockKey, requireBlob, saveBlob } from './catalogue.ts';
import { checkConditions } from './conditions.ts';
import { StorageError } from './errors.ts';

export interface Lease {
  id: string;
  /** Seconds, or -1 for ever. */
  duration: number;
  /** When it expires, or when its break ends; null for never. */
  until: number | null;
  breaking: boolean;
}

type LeaseState = 'available' | 'leased' | 'expired' | 'breaking' | 'broken';

function leaseState(lease: Lease | undefined): LeaseState {
  if (!lease) return 'available';
  const isOver = lease.until !== null && lease.until <= Date.now();
  if (lease.breaking) return isOver ? 'broken' : 'breaking';
  return isOver ? 'expired' : 'leased';
}

export function leaseHeaders({ lease }: Blob): Record<string, string | undefined> {
  const state = leaseState(lease);
  return {
    'x-ms-lease-state': state,
    'x-ms-lease-status': state === 'leased' || state === 'breaking' ? 'locked' : 'unlocked',
    'x-ms-lease-duration': state === 'leased' ? (lease?.duration === -1 ? 'infinite' : 'fixed') : undefined,
  };
}

/** Whether the call may change the blob, or, having named a lease, may read it. */
export function checkLease(call: Call, { lease }: Blob, changes: boolean): void {
  const given = header(call, 'x-ms-lease-id')?.toLowerCase();
  const state = leaseState(lease);
  const isLocked = state === 'leased' || state === 'breaking';
  if (given === undefined) {
    if (isLocked && changes)
      throw new StorageError('LeaseIdMissing', 'There is a lease on the blob and none was given.');
    return;
  }
  if (!lease) throw new StorageError('LeaseNotPresentWithBlobOperation', 'There is no lease on the blob.');
  if (lease.id !== given) {
    throw new StorageError('LeaseIdMismatchWithBlobOperation', 'The lease id does not match the lease of the blob.');
  }
  if (!isLocked) throw new StorageError('LeaseLost', 'The lease has expired or was broken.');
}

export async function leaseBlob(call: Call): Promise<Answer> {
  call.access.require('w');
  const { store } = call;
  const name = nameOf(call);
  return store.locks.hold(lockKey(name), 'exclusive', () =>
    store.commit.write(() => {
      const blob = requireBlob(store, name);
      checkConditions(call, blob);
      const { lease, answer } = act(call, blob.lease);
      saveBlob(store, { ...blob, lease });
      answer.headers = { ...answer.headers, etag: blob.etag, 'last-modified': new Date(blob.modified).toUTCString() };
      return answer;
    }),
  );
}

function act(call: Call, lease: Lease | undefined): { lease: Lease | undefined; answer: Answer } {
  const action = requireHeader(call, 'x-ms-lease-action').toLowerCase();
  const state = leaseState(lease);
  if (action === 'acquire') {
    const duration = Number(requireHeader(call, 'x-ms-lease-duration'));
    if (duration !== -1 && !(duration >= 15 && duration <= 60)) {
      throw new StorageError('InvalidHeaderValue', 'A lease lasts 15 to 60 seconds, or for ever (-1).');
    }
    const id = header(call, 'x-ms-proposed-lease-id')?.toLowerCase() ?? randomUUID();
    if (state === 'breaking') throw new StorageError('LeaseAlreadyPresent', 'The lease is being broken.');
    if (state === 'leased' && lease?.id !== id)
      throw new StorageError('LeaseAlreadyPresent', 'There is already a lease.');
    return granted({ id, duration, until: expiry(duration), breaking: false }, 201);
  }
  if (action === 'break') {
    if (!lease) throw new StorageError('LeaseNotPresentWithLeaseOperation', 'There is no lease to break.');
    const remaining = lease.until === null ? 0 : Math.max(0, Math.ceil((lease.until - Date.now()) / 1000));
    const period = Math.min(
      Number(header(call, 'x-ms-lease-break-period') ?? remaining),
      lease.duration === -1 ? 60 : remaining,
    );
    const seconds = state === 'leased' || state === 'breaking' ? period : 0;
    const broken = { ...lease, until: Date.now() + seconds * 1000, breaking: true };
    return { lease: broken, answer: { status: 202, headers: { 'x-ms-lease-time': seconds } } };
  }
  const given = requireHeader(call, 'x-ms-lease-id').toLowerCase();
  if (!lease) throw new StorageError('LeaseNotPresentWithLeaseOperation', 'There is no lease on the blob.');
  const proposed = header(call, 'x-ms-proposed-lease-id')?.toLowerCase();
  if (lease.id !== given && !(action === 'change' && lease.id === proposed)) {
    throw new StorageError('LeaseIdMismatchWithLeaseOperation', 'The lease id does not match the lease of the blob.');
  }
  if (action === 'release') return { lease: undefined, answer: { status: 200 } };
  if (action === 'renew') {
    if (lease.breaking) throw new StorageError('LeaseIsBrokenAndCannotBeRenewed', 'The lease was broken.');
    return granted({ ...lease, until: expiry(lease.duration) }, 200);
  }
  if (action === 'change') {
    if (state !== 'leased') throw new StorageError('LeaseNotPresentWithLeaseOperation', 'The lease is not active.');
    if (!proposed) throw new StorageError('MissingRequiredHeader', 'The header x-ms-proposed-lease-id is missing.');
    return granted({ ...lease, id: proposed }, 200);
  }
  throw new StorageError('InvalidHeaderValue', `There is no lease action ${action}.`);
}

function granted(lease: Lease, status: number): { lease: Lease; answer: Answer } {
  return { lease, answer: { status, headers: { 'x-ms-lease-id': lease.id } } };
}

function expiry(duration: number): number | null {
  return duration === -1 ? null : Date.now() + duration * 1000;
}
