// Failures as they cross from one function to another: `FailureDetails` as durable-functions reads it
// (lib/src/history/FailureDetailsPayload), whole, with the properties that the app's exception provider attached.
import { z } from 'zod';

export interface FailureDetails {
  ErrorType: string;
  ErrorMessage: string;
  StackTrace?: string;
  IsNonRetriable: boolean;
  Properties?: Record<string, unknown>;
  InnerFailure?: FailureDetails;
}

// With an exception provider the SDK replaces the error's message by this JSON (error/ExceptionPropertiesProvider.js).
const ProvidedDetails = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  isNonRetriable: z.boolean(),
  properties: z.record(z.string(), z.unknown()),
  stackTrace: z.string().optional(),
});

/** What an activity's thrown value says, whatever was thrown. */
export function failureOf(thrown: unknown): FailureDetails {
  const provided = thrown instanceof Error ? parseProvided(thrown.message) : undefined;
  if (provided) {
    return {
      ErrorType: provided.errorType,
      ErrorMessage: provided.errorMessage,
      IsNonRetriable: provided.isNonRetriable,
      Properties: provided.properties,
      ...(provided.stackTrace !== undefined && { StackTrace: provided.stackTrace }),
    };
  }
  if (!(thrown instanceof Error)) return plainFailure('Error', String(thrown));
  return {
    ...plainFailure(thrown.name, thrown.message),
    ...(thrown.stack !== undefined && { StackTrace: thrown.stack }),
  };
}

export const plainFailure = (type: string, message: string): FailureDetails => ({
  ErrorType: type,
  ErrorMessage: message,
  IsNonRetriable: false,
});

function parseProvided(message: string): z.infer<typeof ProvidedDetails> | undefined {
  if (!message.startsWith('{"errorType"')) return undefined;
  try {
    return ProvidedDetails.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
