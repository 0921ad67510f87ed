// Removes instances that ended long ago, so that a host that runs for months does not fill the disk.
import { purge } from './apply.ts';
import type { Engine } from './engine.ts';

const sweepEvery = 3_600_000;
// A sweep after a long pause must not hold up everybody else for one huge write.
const atOnce = 200;

/** Purges now and every hour what ended more than `milliseconds` ago; the result stops it. */
export function keepFor(engine: Engine, milliseconds: number): () => void {
  let cancel = () => {};
  const sweep = () => {
    const ids = engine.store.endedBefore(engine.clock.now() - milliseconds, atOnce);
    cancel = engine.clock.at(engine.clock.now() + (ids.length < atOnce ? sweepEvery : 0), sweep);
    if (ids.length > 0) purge(engine, ids).catch(() => {});
  };
  sweep();
  return () => cancel();
}
