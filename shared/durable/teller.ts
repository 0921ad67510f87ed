// What a call of an activity tells in the journal. The order is: effect, entry, answer. A crash before the entry leaves
// the call without an answer, so the runtime runs it again and the entry follows; a crash before the answer runs it again
// too, and the entry is there already. An entry without its effect cannot be: it is written after the effect only.
import { z } from 'zod';
import type { Capabilities } from '../capabilities.ts';
import { type Failure, terminal } from '../errors.ts';
import { type About, type CallEntry, type Change, tellCall } from '../journal/effects.ts';

/** What an input says about whom it is for. */
const Addressed = z.looseObject({
  waveId: z.string().optional(),
  workloadId: z.string().optional(),
  workloadIds: z.array(z.string()).optional(),
});

interface Call {
  operationId: string;
  attempt: number;
  waveId?: string | undefined;
  input: unknown;
}

/** Tells about one call of an activity; `journals` is one that writes the journal itself, or reads it to decide. */
export function tellerOf(
  { store, now }: Pick<Capabilities, 'store' | 'now'>,
  { name, changes, journals }: { name: string; changes: string | undefined; journals: boolean },
  { operationId, attempt, input, waveId }: Call,
) {
  const addressed = Addressed.catch({}).parse(input);
  const tell = async (entry: Pick<CallEntry, 'type' | 'changes'> & { more: object }): Promise<void> => {
    const { type, more } = entry;
    const called = { activity: name, ...(changes === undefined ? {} : { effect: changes }), attempt };
    const data = { ...called, ...more } as CallEntry['data'];
    const made = entry.changes === undefined ? {} : { changes: entry.changes };
    await tellCall(store, about(), { operationId, time: now(), type, data, ...made });
  };
  const about = (): About => {
    const wave = addressed.waveId ?? waveId;
    if (wave === undefined)
      throw terminal('unexpected', `${name} was called by nobody's wave.`, 'The orchestration must say whose it is.');
    const { workloadId, workloadIds = [] } = addressed;
    return { waveId: wave, workloadIds: workloadId === undefined ? workloadIds : [workloadId] };
  };
  return {
    /** It failed in passing. Told as far as the journal can be reached: what fails now is told at its end at the latest. */
    async retried(failure: Failure, delayMs: number): Promise<void> {
      if (journals) return;
      const nextAt = new Date(Date.parse(now()) + delayMs).toISOString();
      try {
        await tell({ type: 'landfall.effect.retried', more: { failure, nextAt } });
      } catch {
        // The store may be what is away.
      }
    },
    /** It is done, or has failed for good. What only looks is told where it had to be tried again. Throws if it cannot be told. */
    async ended(made: readonly Change[], failure: Failure | undefined): Promise<void> {
      if (journals && changes === undefined) return;
      if (changes === undefined && attempt === 1) return;
      if (failure === undefined) await tell({ type: 'landfall.effect.applied', changes: made, more: {} });
      else await tell({ type: 'landfall.effect.failed', changes: made, more: { failure } });
    },
  };
}
