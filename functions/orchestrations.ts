// The few things that triggers ask of Durable Functions, in their own words.
import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { codeVersion } from '../shared/durable/version.ts';

export interface Orchestrations {
  start(name: string, instanceId: string, input: unknown): Promise<void>;
  standing(instanceId: string): Promise<'absent' | 'active' | 'ended'>;
  /** Raises an event; whoever does not wait any more, or never did, does not matter. */
  raise(instanceId: string, event: string, data: unknown): Promise<void>;
}

export const durableInput = df.input.durableClient();

const ended: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);

/** The orchestrations behind an invocation whose function has the durable client input. */
export function orchestrationsOf(context: InvocationContext): Orchestrations {
  const client = df.getClient(context);
  return {
    async start(name, instanceId, input) {
      await client.startNew(name, { instanceId, input, version: codeVersion });
    },
    async standing(instanceId) {
      try {
        const status = await client.getStatus(instanceId);
        if (status?.runtimeStatus === undefined) return 'absent';
        return ended.has(status.runtimeStatus) ? 'ended' : 'active';
      } catch (error) {
        if (isGone(error)) return 'absent';
        throw error;
      }
    },
    async raise(instanceId, event, data) {
      try {
        await client.raiseEvent(instanceId, event, data);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

/** The client has no error codes: it tells by its message (DurableClient of durable-functions@3.5.0). */
function isGone(error: unknown): boolean {
  return /^No instance with ID|replied with HTTP 404 response/.test(
    error instanceof Error ? error.message : String(error),
  );
}
