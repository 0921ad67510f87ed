import { z } from 'zod';
import { defineStep } from '../../../shared/durable/step.ts';
import { backOff } from '../../../shared/durable/waits.ts';
import { terminal } from '../../../shared/errors.ts';
import { findRoleGaps, grantRoles, RoleGap, revokeRoles, rolesEffective } from './activities.ts';

const propagationPolls = 20;

/** Step 1: what the plan needs against what the identities hold; assign only what is missing, then wait until it works. */
export const targetIam = defineStep({
  number: 1,
  name: 'targetIam',
  scope: 'environment',
  input: z.strictObject({ environmentId: z.string() }),
  before: z.strictObject({ gaps: z.array(RoleGap) }),
  output: z.strictObject({ granted: z.array(z.string()), alreadyHeld: z.boolean() }),
  *capture(ctx, { environmentId }) {
    return { gaps: yield* findRoleGaps.call(ctx, { environmentId }) };
  },
  *run(ctx, { environmentId }, { gaps }) {
    const granted = gaps.length === 0 ? [] : yield* grantRoles.call(ctx, { environmentId, gaps });
    return { granted, alreadyHeld: gaps.length === 0 };
  },
  *verify(ctx, { environmentId }) {
    for (let poll = 0; !(yield* rolesEffective.call(ctx, { environmentId })); poll++) {
      if (poll === propagationPolls)
        throw terminal(
          'forbidden',
          'The roles were assigned, but the identities still lack permissions.',
          'Look for a deny assignment or a policy on the resource group, then retry.',
        );
      yield* backOff(ctx, Math.min(30_000, 250 * 2 ** poll));
    }
    return { effective: true };
  },
  *undo(ctx, { environmentId }) {
    yield* revokeRoles.call(ctx, { environmentId });
  },
  // Where others had granted before, what they did is what is left.
  todo: ({ environmentId }, { gaps }) =>
    gaps.length === 0
      ? [`remove the assignments of Landfall’s own roles in the environment ${environmentId}`]
      : gaps.map(
          ({ roleName, principalId, scope }) => `remove the assignment of ${roleName} to ${principalId} on ${scope}`,
        ),
});
