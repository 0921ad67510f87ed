// Failures as Blob Storage words them: a status, a code in `x-ms-error-code`, and an XML body.
// https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
import { element } from './xml.ts';

const statusOf = {
  AuthenticationFailed: 403,
  AuthorizationFailure: 403,
  AuthorizationPermissionMismatch: 403,
  AuthorizationProtocolMismatch: 403,
  AuthorizationSourceIPMismatch: 403,
  BlobAlreadyExists: 409,
  BlobNotFound: 404,
  BlobOverwritten: 409,
  CannotVerifyCopySource: 404,
  ConditionNotMet: 412,
  ContainerAlreadyExists: 409,
  ContainerNotFound: 404,
  InternalError: 500,
  InvalidAuthenticationInfo: 401,
  InvalidBlobType: 409,
  InvalidHeaderValue: 400,
  InvalidInput: 400,
  InvalidPageRange: 416,
  InvalidQueryParameterValue: 400,
  InvalidRange: 416,
  InvalidResourceName: 400,
  InvalidXmlDocument: 400,
  LeaseAlreadyBroken: 409,
  LeaseAlreadyPresent: 409,
  LeaseIdMismatchWithBlobOperation: 412,
  LeaseIdMismatchWithLeaseOperation: 409,
  LeaseIdMissing: 412,
  LeaseIsBreakingAndCannotBeAcquired: 409,
  LeaseIsBrokenAndCannotBeRenewed: 409,
  LeaseLost: 412,
  LeaseNotPresentWithBlobOperation: 412,
  LeaseNotPresentWithLeaseOperation: 409,
  Md5Mismatch: 400,
  MissingContentLengthHeader: 411,
  MissingRequiredHeader: 400,
  NoAuthenticationInformation: 401,
  NoPendingCopyOperation: 409,
  NotImplemented: 501,
  PreviousSnapshotCannotBeNewer: 400,
  PreviousSnapshotNotFound: 409,
  RequestBodyTooLarge: 413,
  ResourceNotFound: 404,
  SequenceNumberConditionNotMet: 412,
  SequenceNumberIncrementTooLarge: 409,
  SnapshotsPresent: 409,
} as const;

export type ErrorCode = keyof typeof statusOf;

export class StorageError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.status = statusOf[code];
    this.headers = headers;
  }

  toXml(requestId: string): string {
    const message = `${this.message}\nRequestId:${requestId}\nTime:${new Date().toISOString()}`;
    return `<?xml version="1.0" encoding="utf-8"?>${element('Error', element('Code', this.code, true) + element('Message', message, true))}`;
  }
}

/** The answer to a condition that held back a read: 304 has no body and is not an error of the service. */
export class NotModified extends Error {}
