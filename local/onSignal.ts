// How a program of the local Azure ends: SIGTERM or SIGINT stops it once, cleanly.

/** Stops at the first signal and ends the process: with 0, or with 1 and a line where the stop fails. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  const once = (): void => {
    if (isStopping) return;
    isStopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`could not stop cleanly: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
}
