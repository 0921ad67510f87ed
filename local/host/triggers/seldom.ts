// Lines about a service that is away: its client fails many times a second.
const every = 60_000;

/** Passes on what is new, and the same thing once a minute. */
export function seldom(say: (message: string) => void, now: () => number = Date.now): (message: string) => void {
  let last: { message: string; at: number } | undefined;
  return (message) => {
    if (last?.message === message && now() - last.at < every) return;
    last = { message, at: now() };
    say(message);
  };
}
