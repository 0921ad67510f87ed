// One error type across every boundary, and the one place that decides what is transient and what is permanent.
import { z } from 'zod';
import type { Interruption } from './model/control.ts';

/** Every code that Landfall itself raises; SDK failures keep their own code in `detail`. */
export const errorCodes = [
  'invalidInput',
  'notFound',
  'conflict',
  'unauthenticated',
  'forbidden',
  'throttled',
  'unavailable',
  'timeout',
  'azureRejected',
  'quotaExceeded',
  'preflightFailed',
  'sourceUnreachable',
  'applianceSilent',
  'applianceFailed',
  'syncFailed',
  'serviceFailed',
  'shutdownRefused',
  'isolationBroken',
  'checkFailed',
  'gateRejected',
  'windowClosed',
  'lagTooLarge',
  'ttlNotRunOut',
  'cancelled',
  'illegalTransition',
  'unexpected',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** The data of a MigrationError: what crosses the activity border and is stored as evidence. */
export const Failure = z.strictObject({
  code: z.enum(errorCodes),
  kind: z.enum(['transient', 'throttled', 'terminal', 'cancelled']),
  message: z.string(),
  suggestion: z.string(),
  retryAfterSeconds: z.number().nonnegative().optional(),
  detail: z.string().optional(),
  /** Whose work has failed, where it was done for others as well. */
  workloadIds: z.array(z.string()).optional(),
});
export type Failure = z.infer<typeof Failure>;

/** The one error to throw across boundaries: says what happened, to what, and what can be done. */
export class MigrationError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.name = 'MigrationError';
    this.failure = bounded(failure);
  }
}

const longestMessage = 4_000;
const longestDetail = 16_000;

/** A failure is stored with every workload that it concerns: what hundreds of checks say must not make it too large. */
function bounded(failure: Failure): Failure {
  const { message, detail } = failure;
  if (message.length <= longestMessage && (detail?.length ?? 0) <= longestDetail) return failure;
  return {
    ...failure,
    message: cut(message, longestMessage),
    ...(detail === undefined ? {} : { detail: cut(detail, longestDetail) }),
  };
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} more characters)`;
}

/** A failure that people may answer for so long only: from then on it leads back, as a policy has said before. */
export class Undecided extends MigrationError {
  readonly until: string;
  readonly otherwise: Interruption;
  constructor(failure: Failure, until: string, otherwise: Interruption) {
    super(failure);
    this.until = until;
    this.otherwise = otherwise;
  }
}

/** Shorthand for a permanent failure. */
export function terminal(code: ErrorCode, message: string, suggestion: string, detail?: string): MigrationError {
  return new MigrationError({
    code,
    kind: 'terminal',
    message,
    suggestion,
    ...(detail === undefined ? {} : { detail }),
  });
}

/** Shorthand for a failure that is worth another try. */
export function transient(
  code: ErrorCode,
  message: string,
  suggestion: string,
  retryAfterSeconds?: number,
): MigrationError {
  return new MigrationError({
    code,
    kind: 'transient',
    message,
    suggestion,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'REQUEST_SEND_ERROR',
  'ServiceCommunicationProblem',
  'ServiceBusy',
  'ServiceTimeout',
]);

const SdkError = z.looseObject({
  statusCode: z.number().optional().catch(undefined),
  code: z.union([z.string(), z.number()]).optional().catch(undefined),
  retryable: z.boolean().optional().catch(undefined),
  message: z.string().catch('unknown error'),
});

/**
 * Turns whatever an SDK threw into a MigrationError. `doing` completes the sentence "… while <doing>".
 * Sources of the codes: RestError of @azure/core-rest-pipeline, ErrorResponse of @azure/cosmos (numeric `code`), ServiceBusError of @azure/service-bus.
 */
export function toMigrationError(error: unknown, doing: string): MigrationError {
  if (error instanceof MigrationError) return error;
  const { statusCode, code, message, retryable } = SdkError.catch({
    message: String(error),
    statusCode: undefined,
    code: undefined,
    retryable: undefined,
  }).parse(error ?? {});
  const status = statusCode ?? (typeof code === 'number' ? code : undefined);
  const detail = `${code ?? status ?? 'error'}: ${message}`;
  const build = (failure: Omit<Failure, 'message' | 'detail'>): MigrationError =>
    new MigrationError({ ...failure, message: `Failed while ${doing}: ${message}`, detail }, { cause: error });
  if (status === 429) {
    const after = retryAfterSeconds(error);
    return build({
      code: 'throttled',
      kind: 'throttled',
      suggestion: 'It is tried again after the time that the service asked for.',
      ...(after === undefined ? {} : { retryAfterSeconds: after }),
    });
  }
  if (status === 401 || status === 403)
    return build({
      code: 'forbidden',
      kind: 'transient',
      suggestion:
        'If it lasts longer than role propagation takes, check the identity’s role assignments (step 1 lists them).',
    });
  if (status === 404)
    return build({
      code: 'notFound',
      kind: 'terminal',
      suggestion: 'Check that the named resource exists and has not been deleted by hand.',
    });
  if (status === 409 && /quota/i.test(message))
    return build({
      code: 'quotaExceeded',
      kind: 'terminal',
      suggestion: 'Ask for more quota in the region or choose another size, then retry.',
    });
  if (status === 409 || status === 412)
    return build({
      code: 'conflict',
      kind: 'transient',
      suggestion: 'Somebody else changed it at the same moment; it is tried again.',
    });
  if (status === 501)
    return build({
      code: 'azureRejected',
      kind: 'terminal',
      suggestion: 'The service does not do this at all: do it in another way, or leave it out.',
    });
  if (status === 408 || (status !== undefined && status >= 500))
    return build({
      code: 'unavailable',
      kind: 'transient',
      suggestion: 'The service did not answer as it should; it is tried again.',
    });
  if (retryable === true || (typeof code === 'string' && networkCodes.has(code)))
    return build({
      code: 'unavailable',
      kind: 'transient',
      suggestion: 'The service could not be reached; it is tried again.',
    });
  if (status !== undefined)
    return build({
      code: 'azureRejected',
      kind: 'terminal',
      suggestion: 'The service refused the request for good: read its message, change the input, then retry.',
    });
  return build({
    code: 'unexpected',
    kind: 'terminal',
    suggestion: 'This is not a known failure. Look at the detail and the log, then retry or roll back.',
  });
}

function retryAfterSeconds(error: unknown): number | undefined {
  const headers = (error as { response?: { headers?: { get?: (name: string) => string | undefined } } } | undefined)
    ?.response?.headers;
  const value = headers?.get?.('retry-after');
  if (value === undefined || value === null) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.round((date - Date.now()) / 1000));
}
