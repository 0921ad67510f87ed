import type { Orchestrations } from '../../functions/orchestrations.ts';
import { type DurableManagement, DurableRequestError } from '../../local/durable/client.ts';
import { codeVersion } from '../../shared/durable/version.ts';

/** What triggers ask of Durable Functions, asked of the engine at once. */
export function orchestrationsOn(durable: DurableManagement): Orchestrations {
  return {
    start: async (name, instanceId, input) =>
      void (await durable.start(name, { instanceId, input, version: codeVersion })),
    standing: async (instanceId) => {
      const status = durable.status(instanceId)?.runtimeStatus;
      if (status === undefined) return 'absent';
      return status === 'Running' || status === 'Pending' ? 'active' : 'ended';
    },
    raise: async (instanceId, event, data) => {
      try {
        await durable.raiseEvent(instanceId, event, data);
      } catch (error) {
        if (!(error instanceof DurableRequestError)) throw error;
      }
    },
  };
}
