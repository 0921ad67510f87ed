import { z } from 'zod';
import { ownRoles } from '../../../shared/azure/ownRoles.ts';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { environmentOf } from '../../../shared/store/plans.ts';

const Input = z.strictObject({ environmentId: z.string() });
export const RoleGap = z.strictObject({
  principalId: z.string(),
  role: z.enum(['replication', 'cutover']),
  scope: z.string(),
  roleName: z.string(),
  missing: z.array(z.string()),
});

/** What the actions need that are in the plans of the waves which hold the environment now. */
async function neededBesides(store: Store, environmentId: string): Promise<string[]> {
  const waves = await Promise.all((await store.environments.holders(environmentId)).map((id) => store.waves.get(id)));
  // Whoever cleans up after a wave holds it as well, and does no actions.
  return [...new Set(waves.flatMap((wave) => wave?.plan.besides ?? []))].sort();
}

/** The permission diff: what the plans need and the identities lack. */
export const findRoleGaps = defineActivity({
  name: 'findRoleGaps',
  input: Input,
  output: z.array(RoleGap),
  async effect({ azure, store }, { environmentId }) {
    return azure.authorization.gaps(
      await environmentOf(store, environmentId),
      await neededBesides(store, environmentId),
    );
  },
});

export const grantRoles = defineActivity({
  name: 'grantRoles',
  changes: 'roles of the working identities',
  input: Input.extend({ gaps: z.array(RoleGap) }),
  output: z.array(z.string()),
  async effect({ azure, store }, { environmentId, gaps }, { changed }) {
    const environment = await environmentOf(store, environmentId);
    await store.environments.setGrants(environmentId, true);
    const made = await azure.authorization.grant(environment, gaps, await neededBesides(store, environmentId));
    for (const { principalId, role, scope, missing } of gaps)
      changed({
        verb: 'granted',
        object: `${role} to ${principalId} on ${scope}`,
        before: { missing },
        after: { missing: [] },
      });
    return made.map(({ id }) => id);
  },
});

/** Whether any wave has had roles granted that nobody has revoked. */
export const hasGrants = defineActivity({
  name: 'hasGrants',
  input: Input,
  output: z.boolean(),
  retry: patientRetry,
  effect: ({ store }, { environmentId }) => store.environments.hasGrants(environmentId),
});

export const rolesEffective = defineActivity({
  name: 'rolesEffective',
  input: Input,
  output: z.boolean(),
  async effect({ azure, store }, { environmentId }) {
    return azure.authorization.effective(
      await environmentOf(store, environmentId),
      await neededBesides(store, environmentId),
    );
  },
});

/** Deletes the definitions and assignments that carry our deterministic names; never any other. */
export const revokeRoles = defineActivity({
  name: 'revokeRoles',
  changes: 'roles of the working identities',
  input: Input,
  output: Nothing,
  async effect({ azure, store }, { environmentId }, { changed }) {
    const environment = await environmentOf(store, environmentId);
    const own = ownRoles(environment);
    await azure.authorization.revoke(environment, own);
    await store.environments.setGrants(environmentId, false);
    for (const { kind, id } of own) changed({ verb: 'removed', object: `${kind} ${id}`, after: 'absent' });
    return null;
  },
});
