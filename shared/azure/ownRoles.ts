import type { Environment } from '../model/environment.ts';
import type { MadeRole } from './contract.ts';
import { roleAssignmentGuid, roleDefinitionGuid } from './roles.ts';
import { scopesOf } from './scopes.ts';

/** Every role definition and assignment that Landfall may have made for an environment: their names are deterministic. */
export function ownRoles(environment: Environment): MadeRole[] {
  const group = `/subscriptions/${environment.subscriptionId}/resourceGroups/${environment.resourceGroup}`;
  return (['replication', 'cutover'] as const).flatMap((role): MadeRole[] => {
    const principalId = environment.identities[role];
    const assignments = scopesOf(environment, role).map(({ subscriptionId, resourceGroup }): MadeRole => {
      const scope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
      const guid = roleAssignmentGuid(environment, role, scope, principalId);
      return { kind: 'roleAssignment', id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${guid}` };
    });
    const guid = roleDefinitionGuid(environment, role);
    return [
      ...assignments,
      { kind: 'roleDefinition', id: `${group}/providers/Microsoft.Authorization/roleDefinitions/${guid}` },
    ];
  });
}
