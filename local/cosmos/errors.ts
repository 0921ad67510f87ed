// The one way a request fails: an HTTP status with the code, message and substatus that a Cosmos DB client expects.

export class CosmosError extends Error {
  readonly status: number;
  readonly code: string;
  readonly substatus: number | undefined;
  /** Further properties of the response's JSON body. */
  readonly details: Record<string, unknown>;
  /** Further headers of the response. */
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    substatus?: number,
    details: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = 'CosmosError';
    this.status = status;
    this.code = code;
    this.substatus = substatus;
    this.details = details;
    this.headers = headers;
  }
}

export const badRequest = (message: string, substatus?: number) =>
  new CosmosError(400, 'BadRequest', message, substatus);
export const notFound = (message = 'Entity with the specified id does not exist in the system.') =>
  new CosmosError(404, 'NotFound', message, 0);
export const conflict = (message = 'Entity with the specified id already exists in the system.') =>
  new CosmosError(409, 'Conflict', message);
export const preconditionFailed = (message: string) => new CosmosError(412, 'PreconditionFailed', message);
export const tooLarge = (message = 'Request size is too large') =>
  new CosmosError(413, 'RequestEntityTooLarge', message);
export const notSupported = (what: string) =>
  badRequest(`${what} is not supported by this local Cosmos DB server; it is refused rather than answered wrongly.`);
