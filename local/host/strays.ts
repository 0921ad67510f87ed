// Errors that no invocation sees: a promise of the app that nobody waits for, a throw in a timer of its own. In Azure they
// end the worker, and the host starts another; here they would end the whole local Azure.
import { inspect } from 'node:util';
import type { HostLog } from './log.ts';
import { isOurs, placed, placeIn } from './place.ts';

/** Tells such errors of the app instead of ending the process; those of the local Azure itself end it. Answers how to stop. */
export function catchStrays(appDirectory: string, log: HostLog): () => void {
  const caught = (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    if (isOurs(stack)) {
      stop();
      throw error;
    }
    const reason = error instanceof Error ? error.message : inspect(error);
    const told = placed(`an error that nobody caught: ${reason}`, placeIn(appDirectory, stack));
    log.line('error', 'host', told, { ...(stack !== undefined && { stack }) });
  };
  const stop = () => {
    process.off('unhandledRejection', caught).off('uncaughtException', caught);
  };
  process.on('unhandledRejection', caught).on('uncaughtException', caught);
  return stop;
}
