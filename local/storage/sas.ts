// Shared access signatures: service SAS by account key, user delegation SAS by a delegation key.
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas and …/create-user-delegation-sas
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Target } from './auth.ts';
import { StorageError } from './errors.ts';

export interface SasKeys {
  /** Account keys by account name. */
  accountKeys: Map<string, Buffer>;
  /** Delegation keys are derived from this secret, so none has to be stored. */
  delegationSecret: Buffer;
}

/** What a user delegation key is bound to, in the words of its query parameters. */
export interface DelegationScope {
  skoid: string;
  sktid: string;
  skt: string;
  ske: string;
  sks: string;
  skv: string;
}

// The first version whose string to sign has the encryption scope; older ones are of no use to today's SDKs.
const OLDEST_VERSION = '2020-12-06';
const refusedParameters = ['si', 'ss', 'srt', 'sduoid', 'skdutid', 'srh', 'srq', 'sdd'];

export function delegationKey(secret: Buffer, account: string, scope: DelegationScope): Buffer {
  const { skoid, sktid, skt, ske, sks, skv } = scope;
  return createHmac('sha256', secret).update([account, skoid, sktid, skt, ske, sks, skv].join('\n')).digest();
}

/** Checks a signature and returns the permissions that it grants on the target. */
export function checkSas(query: URLSearchParams, target: Target, keys: SasKeys, address: string): string {
  const value = (name: string) => query.get(name) ?? '';
  const refused = refusedParameters.find((name) => query.has(name));
  if (refused) throw failed(`Signatures with ${refused} are not supported here.`);
  const version = value('sv');
  if (version < OLDEST_VERSION) throw failed(`Signatures before version ${OLDEST_VERSION} are not supported here.`);
  const isDelegated = query.has('skoid');
  const scope: DelegationScope = {
    skoid: value('skoid'),
    sktid: value('sktid'),
    skt: value('skt'),
    ske: value('ske'),
    sks: value('sks'),
    skv: value('skv'),
  };
  const accountKey = keys.accountKeys.get(target.account);
  if (!accountKey) throw failed('There is no such account.');
  const key = isDelegated ? delegationKey(keys.delegationSecret, target.account, scope) : accountKey;

  const middle = isDelegated
    ? [...Object.values(scope), value('saoid'), '', value('scid'), ...(version >= '2025-07-05' ? ['', ''] : [])]
    : [''];
  const stringToSign = [
    value('sp'),
    value('st'),
    value('se'),
    resourceOf(value('sr'), target),
    ...middle,
    value('sip'),
    value('spr'),
    version,
    value('sr'),
    value('sr') === 'bs' ? target.snapshot : '',
    value('ses'),
    ...(isDelegated && version >= '2026-04-06' ? ['', ''] : []),
    ...['rscc', 'rscd', 'rsce', 'rscl', 'rsct'].map(value),
  ].join('\n');
  const expected = createHmac('sha256', key).update(stringToSign, 'utf8').digest();
  const given = Buffer.from(value('sig'), 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw failed(`Signature did not match. String to sign used was:\n${stringToSign}`);
  }

  const now = Date.now();
  if (!isBefore(now, value('se'))) throw failed('Signature not valid in the specified time frame: it has expired.');
  if (value('st') && isBefore(now, value('st')))
    throw failed('Signature not valid in the specified time frame: not yet.');
  if (isDelegated && !(isBefore(now, scope.ske) && !isBefore(now, scope.skt) && scope.sks === 'b')) {
    throw failed('The user delegation key is not valid in this time frame, or not for blobs.');
  }
  if (value('spr') && !value('spr').split(',').includes('https')) {
    throw new StorageError('AuthorizationProtocolMismatch', 'The signature is for another protocol than https.');
  }
  if (value('sip') && !isWithin(address, value('sip'))) {
    throw new StorageError('AuthorizationSourceIPMismatch', `The signature is not for the address ${address}.`);
  }
  return value('sp');
}

/** The canonical name of what the signature covers; a signature for a blob doesn't cover its snapshots. */
function resourceOf(kind: string, { account, container, blob, snapshot }: Target): string {
  if (kind === 'c' && container) return `/blob/${account}/${container}`;
  if (kind === 'b' && blob && !snapshot) return `/blob/${account}/${container}/${blob}`;
  if (kind === 'bs' && blob && snapshot) return `/blob/${account}/${container}/${blob}`;
  throw failed(`A signature with sr=${kind} does not cover this resource.`);
}

function isBefore(now: number, time: string): boolean {
  const parsed = Date.parse(time);
  if (Number.isNaN(parsed)) throw failed(`'${time}' is not a time.`);
  return now < parsed;
}

function isWithin(address: string, range: string): boolean {
  const toNumber = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const [first = '', last = first] = range.split('-');
  const own = toNumber(address.replace(/^::ffff:/, ''));
  return own >= toNumber(first) && own <= toNumber(last);
}

function failed(detail: string): StorageError {
  return new StorageError('AuthenticationFailed', `Server failed to authenticate the request. ${detail}`);
}
