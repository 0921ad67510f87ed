import type { Orchestrations } from '../../functions/orchestrations.ts';
import { DurableRequestError } from '../../local/durable/client.ts';
import type { DeterministicEngine } from '../../local/durable/deterministic.ts';
import { codeVersion } from '../../shared/durable/version.ts';

/** What triggers ask of Durable Functions, asked of the engine until it answers: it may crash meanwhile. */
export function orchestrationsOn(engine: DeterministicEngine): Orchestrations {
  return {
    start: (name, instanceId, input) => engine.start(name, { instanceId, input, version: codeVersion }),
    standing: async (instanceId) => {
      const status = engine.durable.status(instanceId)?.runtimeStatus;
      if (status === undefined) return 'absent';
      return status === 'Running' || status === 'Pending' ? 'active' : 'ended';
    },
    raise: async (instanceId, event, data) => {
      try {
        await engine.raiseEvent(instanceId, event, data);
      } catch (error) {
        if (!(error instanceof DurableRequestError)) throw error;
      }
    },
  };
}
