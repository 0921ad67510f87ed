import { z } from 'zod';
import { defineActivity } from '../../shared/durable/activity.ts';
import type { Change } from '../../shared/journal/effects.ts';
import { environmentOf } from '../../shared/store/plans.ts';

const LongOperation = z.strictObject({
  kind: z.enum([
    'createVirtualMachine',
    'deleteVirtualMachine',
    'startVirtualMachine',
    'stopVirtualMachine',
    'createDisk',
    'deleteDisk',
    'createNic',
    'deleteNic',
    'createNetworkSecurityGroup',
    'deleteNetworkSecurityGroup',
  ]),
  name: z.string(),
  state: z.string(),
});

/** How far a long operation is: an activity's answer. */
export const Progress = z.union([
  z.strictObject({ done: z.literal(true) }),
  z.strictObject({ done: z.literal(false), operation: LongOperation, retryAfterSeconds: z.number().optional() }),
]);

/** What is told of an operation that Azure was asked for: it may go on for a while. */
export function asked(verb: string, object: string, { done }: z.infer<typeof Progress>): Change {
  return { verb, object, after: done ? verb : 'under way' };
}

/** Asks Azure once how far an operation is. */
export const advanceOperation = defineActivity({
  name: 'advanceOperation',
  input: z.strictObject({ environmentId: z.string(), operation: LongOperation }),
  output: Progress,
  async effect({ azure, store }, { environmentId, operation }) {
    return azure.compute.advance(await environmentOf(store, environmentId), operation);
  },
});
