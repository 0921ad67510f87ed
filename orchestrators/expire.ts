// Clones whose time is over and that no orchestration holds any more are removed; the watchdog has decided which, and has
// written that down. It tries once a day: what fails is told, and left to the next one.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { ExpiredGroup, recordExpiry } from './journal/expiry/activities.ts';
import { destroyAll } from './machines.ts';
import { WorkOutcome, workOutcome } from './outcome.ts';
import { removeIsolationGroup } from './steps/08-uat/activities.ts';

const Input = z.strictObject({
  waveId: z.string(),
  environmentId: z.string(),
  day: z.string().describe('tells the tries apart'),
  groups: z.array(ExpiredGroup.extend({ withSecurityGroup: z.boolean() })),
});
type Input = z.infer<typeof Input>;

export const expire = defineOrchestrator({
  name: 'expire',
  input: Input,
  output: WorkOutcome,
  *run(ctx, input) {
    const outcome = yield* workOutcome(removeAll(ctx, input));
    const groups = input.groups.map(({ groupId, workloadIds }) => ({ groupId, workloadIds }));
    const { waveId } = input;
    yield* recordExpiry.call(ctx, { waveId, operationId: ctx.operationId('expired'), groups, ...outcome });
    return outcome;
  },
});

function* removeAll(ctx: Ctx, { waveId, environmentId, day, groups }: Input): Flow<void> {
  for (const { groupId, workloadIds, withSecurityGroup } of groups) {
    const group = { waveId, groupId, environmentId, attempt: `expired-${day}` };
    yield* destroyAll(ctx, group, workloadIds, 'test');
    if (withSecurityGroup) yield* removeIsolationGroup.call(ctx, { waveId, groupId, environmentId });
  }
}
