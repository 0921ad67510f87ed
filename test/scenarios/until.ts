// Waiting for a condition: looked at again and again, and an error that shows the last look when it never holds.
import { setTimeout as sleep } from 'node:timers/promises';

export async function until<T>(
  what: string,
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  { everyMs = 50, withinMs = 60_000 } = {},
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > end) throw new Error(`${what} has not come after ${withinMs / 1000} s: ${JSON.stringify(seen)}`);
    await sleep(everyMs);
  }
}
