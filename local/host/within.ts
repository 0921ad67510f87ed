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
