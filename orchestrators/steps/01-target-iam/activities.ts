import { z } from 'zod';
import { ownRoles } from '../../../shared/azure/ownRoles.ts';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { environmentOf } from '../../../shared/store/plans.ts';

const Input = z.strictObject({ environmentId: z.string() });
export const RoleGap = z.strictObject({
  principalId: z.string(),
  role: z.enum(['replication', 'cutover']),
  scope: z.string(),
  roleName: z.string(),
  missing: z.array(z.string()),
});

/** The permission diff: what the plan needs and the identities lack. */
export const findRoleGaps = defineActivity({
  name: 'findRoleGaps',
  input: Input,
  output: z.array(RoleGap),
  async effect({ azure, store }, { environmentId }) {
    return azure.authorization.gaps(await environmentOf(store, environmentId));
  },
});

export const grantRoles = defineActivity({
  name: 'grantRoles',
  input: Input.extend({ gaps: z.array(RoleGap) }),
  output: z.array(z.string()),
  async effect({ azure, store }, { environmentId, gaps }) {
    const made = await azure.authorization.grant(await environmentOf(store, environmentId), gaps);
    return made.map(({ id }) => id);
  },
});

export const rolesEffective = defineActivity({
  name: 'rolesEffective',
  input: Input,
  output: z.boolean(),
  async effect({ azure, store }, { environmentId }) {
    return azure.authorization.effective(await environmentOf(store, environmentId));
  },
});

/** Deletes the definitions and assignments that carry our deterministic names; never any other. */
export const revokeRoles = defineActivity({
  name: 'revokeRoles',
  input: Input,
  output: Nothing,
  async effect({ azure, store }, { environmentId }) {
    const environment = await environmentOf(store, environmentId);
    await azure.authorization.revoke(environment, ownRoles(environment));
    return null;
  },
});
