// Lines about a service that is away: its client fails many times a second.
const every = 60_000;

/** Passes on the message of an error that is new, and the same one once a minute. */
export function seldom(say: (message: string) => void, now: () => number = Date.now): (error: unknown) => void {
  const said = new Map<string, number>();
  return (error) => {
    for (const [message, at] of said) if (now() - at >= every) said.delete(message);
    const message = messageOf(error);
    if (said.has(message)) return;
    said.set(message, now());
    say(message);
  };
}

/** Of an error that stands for several tries, as clients of Azure throw it without a message, the last one's. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0)
    return messageOf(error.errors.at(-1));
  return error instanceof Error ? error.message : String(error);
}
