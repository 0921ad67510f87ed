// Time as the engine sees it, so that tests and rehearsals can bring their own.

export interface Clock {
  now(): number;
  /** Calls `wake` once at `time` (epoch milliseconds) or later; the result cancels. */
  at(time: number, wake: () => void): () => void;
}

// setTimeout counts the time that the machine is awake, and knows nothing of a clock that is set: so it is asked again and
// again what time it is.
const longestDelay = 15_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, wake) {
    let handle: NodeJS.Timeout;
    const arm = (delay: number) => {
      handle = setTimeout(look, Math.min(Math.max(0, delay), longestDelay));
    };
    const look = () => {
      const left = time - Date.now();
      if (left > 0) arm(left);
      else wake();
    };
    arm(time - Date.now());
    return () => clearTimeout(handle);
  },
};
