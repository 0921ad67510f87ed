// Time as the engine sees it, so that tests and rehearsals can bring their own.

export interface Clock {
  now(): number;
  /** Calls `wake` once at `time` (epoch milliseconds) or later; the result cancels. */
  at(time: number, wake: () => void): () => void;
}

// setTimeout fires at once when the delay does not fit 31 bits, so longer waits are taken in stages.
const longestDelay = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, wake) {
    let handle: NodeJS.Timeout;
    const arm = () => {
      const delay = Math.max(0, time - Date.now());
      handle = setTimeout(delay > longestDelay ? arm : wake, Math.min(delay, longestDelay));
    };
    arm();
    return () => clearTimeout(handle);
  },
};
