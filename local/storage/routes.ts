// Which operation a request asks for: the method, `restype` and `comp`, and a few headers tell.
import { deleteBlob, getBlob, putBlob, setMetadata, setProperties, snapshotBlob } from './blobOperations.ts';
import { type Answer, type Call, header } from './call.ts';
import {
  createContainer,
  deleteContainer,
  getContainer,
  listContainer,
  listContainers,
  setContainerMetadata,
  userDelegationKey,
} from './containerOperations.ts';
import { abortCopy, copyBlob } from './copyOperation.ts';
import { StorageError } from './errors.ts';
import { leaseBlob } from './leases.ts';
import { getPageRanges, putPage } from './pageOperations.ts';

type Operation = (call: Call) => Promise<Answer>;

const accountOperations: Record<string, Operation> = {
  'GET comp=list': listContainers,
  'POST restype=service comp=userdelegationkey': userDelegationKey,
};

const containerOperations: Record<string, Operation> = {
  'PUT restype=container': createContainer,
  'GET restype=container': getContainer,
  'HEAD restype=container': getContainer,
  'DELETE restype=container': deleteContainer,
  'PUT restype=container comp=metadata': setContainerMetadata,
  'GET restype=container comp=list': listContainer,
};

const blobOperations: Record<string, Operation> = {
  PUT: (call) => (header(call, 'x-ms-copy-source') === undefined ? putBlob(call) : copyBlob(call)),
  GET: getBlob,
  HEAD: getBlob,
  DELETE: deleteBlob,
  'PUT comp=page': putPage,
  'GET comp=pagelist': getPageRanges,
  'PUT comp=properties': setProperties,
  'PUT comp=metadata': setMetadata,
  'GET comp=metadata': getBlob,
  'HEAD comp=metadata': getBlob,
  'PUT comp=snapshot': snapshotBlob,
  'PUT comp=lease': leaseBlob,
  'PUT comp=copy': abortCopy,
};

export function routeOf(call: Call): Operation {
  const { method, query, container, blob } = call;
  const parameter = (name: string) => (query.has(name) ? ` ${name}=${query.get(name)}` : '');
  const key = `${method}${parameter('restype')}${parameter('comp')}`;
  const operations = blob ? blobOperations : container ? containerOperations : accountOperations;
  const operation = operations[key];
  if (!operation) throw new StorageError('NotImplemented', `The local storage does not do '${key}' on this resource.`);
  return operation;
}

// Headers that change what a request means. To ignore one would be to pretend.
const unsupportedHeaders = [
  'x-ms-encryption-key',
  'x-ms-encryption-scope',
  'x-ms-structured-body',
  'x-ms-content-crc64',
  'x-ms-if-tags',
  'x-ms-tags',
  'x-ms-immutability-policy-until-date',
  'x-ms-legal-hold',
  'x-ms-range-get-content-md5',
  'x-ms-range-get-content-crc64',
];

export function refuseUnsupported(call: Call): void {
  const found = unsupportedHeaders.find((name) => header(call, name) !== undefined);
  if (found) throw new StorageError('NotImplemented', `The local storage does not support the header ${found}.`);
  if (call.query.has('versionid')) throw new StorageError('NotImplemented', 'The local storage has no blob versions.');
  // Everything that writes writes to the base blob; only reading and deleting may name a snapshot.
  const mayNameSnapshot = ['GET', 'HEAD', 'DELETE'].includes(call.method);
  if (call.snapshot && !mayNameSnapshot) throw new StorageError('InvalidInput', 'Snapshots cannot be written to.');
  if (call.method === 'PUT' && header(call, 'x-ms-page-write') && header(call, 'x-ms-copy-source')) {
    throw new StorageError('NotImplemented', 'The local storage does not put pages from a URL.');
  }
}
