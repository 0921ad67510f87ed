import { MigrationError, toMigrationError } from '../errors.ts';

/** Runs a read or a deletion for which "not there" is an answer, not a failure. */
export async function absentAsUndefined<T>(doing: string, call: () => PromiseLike<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const migrationError = toMigrationError(error, doing);
    if (migrationError.failure.code === 'notFound') return undefined;
    throw migrationError;
  }
}

/** Runs a call and turns what the SDK throws into a MigrationError. */
export async function attempt<T>(doing: string, call: () => PromiseLike<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof MigrationError ? error : toMigrationError(error, doing);
  }
}
