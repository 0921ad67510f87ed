// Ctrl-C and its relatives, as a signal: whatever is going on stops at its next look, and everything is cleaned up.

/** Aborts when the user or the system wants the run to end, or when nobody can read its output any more. */
export function interruption(told: (reason: string) => void): AbortSignal {
  const controller = new AbortController();
  const interrupt = (reason: string) => {
    if (controller.signal.aborted) return;
    controller.abort(new Error(`The run ended early: ${reason}.`));
    told(reason);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt(`received ${name}`));
  process.stdout.on('error', () => interrupt('nobody reads the output'));
  process.on('uncaughtException', (error) => interrupt(error.stack ?? error.message));
  return controller.signal;
}
