import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Orchestrations } from '../../functions/orchestrations.ts';
import { DurableRequestError } from '../../local/durable/client.ts';
import type { DeterministicEngine } from '../../local/durable/deterministic.ts';
import { codeVersion } from '../../shared/durable/version.ts';

/** What triggers ask of Durable Functions, asked of the engine until it answers: it may crash meanwhile. */
export function orchestrationsOn(engine: DeterministicEngine): Orchestrations {
  return {
    start: (name, instanceId, input) =>
      withEngine(() => engine.start(name, { instanceId, input, version: codeVersion })),
    standing: async (instanceId) => {
      const status = engine.durable.status(instanceId)?.runtimeStatus;
      if (status === undefined) return 'absent';
      return status === 'Running' || status === 'Pending' ? 'active' : 'ended';
    },
    raise: async (instanceId, event, data) => {
      try {
        await withEngine(() => engine.raiseEvent(instanceId, event, data));
      } catch (error) {
        if (!(error instanceof DurableRequestError)) throw error;
      }
    },
  };
}

/** For a moment after a crash there is only the engine that has stopped: whoever asks it then asks the next one. */
async function withEngine(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (error instanceof DurableRequestError) throw error;
    await nextTurn();
    await ask();
  }
}
