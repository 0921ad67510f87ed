/** An error that ARM answers as `{ error: { code, message } }`: thrown anywhere below a request or an operation. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'ArmError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What this simulator does not do is refused by name. 501 because the SDKs do not retry it, as they do other 5xx. */
export const notSimulated = (what: string): ArmError => new ArmError(501, 'NotSimulated', what);

export const badRequest = (code: string, message: string): ArmError => new ArmError(400, code, message);

export const conflict = (code: string, message: string): ArmError => new ArmError(409, code, message);

export const notFound = (message: string, code = 'NotFound'): ArmError => new ArmError(404, code, message);

/** Turns whatever was thrown into an error that can be answered. */
export function toArmError(thrown: unknown): ArmError {
  if (thrown instanceof ArmError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ArmError(500, 'InternalServerError', message);
}
