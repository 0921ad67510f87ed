// rhea@3.0.5 inside @azure/service-bus 7.9.5 gives messages that follow one another and are settled in the same turn of
// the event loop the outcome of the first (lib/session.js, write_dispositions): a failed one would be completed with its
// neighbour. So whoever may settle differently does it in a turn of its own.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets callers go on one after the other, each in a turn of its own. */
export function takeTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    const mine = last;
    last = mine.then(() => nextTurn());
    return mine;
  };
}
