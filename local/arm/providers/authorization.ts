// Microsoft.Authorization: role definitions, role assignments, and a caller's own permissions.
import type { Kernel, ResourceType } from '../contract.ts';
import { roleAssignments } from './roleAssignments.ts';
import { roleDefinitions } from './roleDefinitions.ts';

export function authorizationProvider(kernel: Kernel): ResourceType[] {
  return [roleDefinitions(kernel), roleAssignments(kernel), permissions(kernel)];
}

function permissions({ access }: Kernel): ResourceType {
  return {
    type: 'Microsoft.Authorization/permissions',
    list: ({ target, caller }) => ({ status: 200, body: { value: access.effective(caller.oid, target.scope) } }),
  };
}
