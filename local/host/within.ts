// Waiting that ends.

/** Resolves with the work, or after `milliseconds` without it; undefined waits for the work alone. */
export async function within(milliseconds: number | undefined, work: Promise<void> | undefined): Promise<void> {
  if (milliseconds === undefined) return work;
  let timeout: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((done) => {
    timeout = setTimeout(done, milliseconds);
  });
  await Promise.race([work, expired]);
  clearTimeout(timeout);
}

/** The work's outcome; rejects with what `late` makes when it takes longer than `milliseconds`. */
export async function inTime<T>(milliseconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => reject(late()), milliseconds);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timeout);
  }
}
