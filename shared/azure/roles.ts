// The two custom roles: exactly what this folder does with the replication and the cutover identity, and nothing else.
// What the actions of step 11 need comes from them (shared/actions), as far as plans have them.
// https://learn.microsoft.com/azure/role-based-access-control/custom-roles
import { createHash } from 'node:crypto';
import type { Environment } from '../model/environment.ts';
import { groupScope } from './resourceIds.ts';

export type WorkingRole = 'replication' | 'cutover';

export interface RoleNeeds {
  actions: string[];
  dataActions: string[];
}

const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';

/** What each working identity needs in the environment's resource group, whatever is planned. */
export const roleNeeds: Record<WorkingRole, RoleNeeds> = {
  replication: {
    actions: [
      'Microsoft.Authorization/permissions/read',
      'Microsoft.Storage/storageAccounts/read',
      'Microsoft.Storage/storageAccounts/blobServices/containers/write',
      'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action',
    ],
    // A user delegation SAS can do no more than the identity that signed it, so these bound the appliances too.
    dataActions: [`${blobs}/read`, `${blobs}/write`, `${blobs}/delete`, `${blobs}/add/action`],
  },
  cutover: {
    actions: [
      'Microsoft.Authorization/permissions/read',
      'Microsoft.Resources/subscriptions/resourceGroups/resources/read',
      'Microsoft.Compute/disks/read',
      'Microsoft.Compute/disks/write',
      'Microsoft.Compute/disks/delete',
      'Microsoft.Compute/images/read',
      'Microsoft.Compute/galleries/images/read',
      'Microsoft.Compute/galleries/images/versions/read',
      'Microsoft.Compute/locations/operations/read',
      'Microsoft.Compute/virtualMachines/read',
      'Microsoft.Compute/virtualMachines/write',
      'Microsoft.Compute/virtualMachines/delete',
      'Microsoft.Compute/virtualMachines/instanceView/read',
      'Microsoft.Compute/virtualMachines/runCommand/action',
      'Microsoft.Network/locations/operations/read',
      'Microsoft.Network/networkInterfaces/read',
      'Microsoft.Network/networkInterfaces/write',
      'Microsoft.Network/networkInterfaces/delete',
      'Microsoft.Network/networkInterfaces/join/action',
      'Microsoft.Network/networkSecurityGroups/read',
      'Microsoft.Network/networkSecurityGroups/write',
      'Microsoft.Network/networkSecurityGroups/delete',
      'Microsoft.Network/networkSecurityGroups/join/action',
      'Microsoft.Network/virtualNetworks/read',
      'Microsoft.Network/virtualNetworks/subnets/read',
      'Microsoft.Network/virtualNetworks/subnets/join/action',
    ],
    dataActions: [],
  },
};

/** What a working identity needs where some plans' actions need something `besides`: those are done by the cutover identity. */
export function needsOf(role: WorkingRole, besides: readonly string[]): RoleNeeds {
  const { actions, dataActions } = roleNeeds[role];
  return role === 'replication' ? roleNeeds[role] : { actions: [...actions, ...besides], dataActions };
}

/** A role's display name: unique in the tenant, because environments have unique ids. */
export function roleNameOf(role: WorkingRole, environmentId: string): string {
  return `Landfall ${role === 'replication' ? 'Replication' : 'Cutover'} (${environmentId})`;
}

/** Written into the description of what we make; undo removes nothing without it. */
export function ownershipNote(environmentId: string): string {
  return `Made by Landfall for environment ${environmentId}; removed when the last wave there releases it.`;
}

/** The id of our role definition: known before it exists, so that a delegation condition can name it. */
export function roleDefinitionGuid(environment: Environment, role: WorkingRole): string {
  return guidOf(groupScope(environment), roleNameOf(role, environment.id));
}

/** The id of our assignment of that role at one scope. */
export function roleAssignmentGuid(
  environment: Environment,
  role: WorkingRole,
  scope: string,
  principalId: string,
): string {
  return guidOf(scope, roleDefinitionGuid(environment, role), principalId);
}

/** A name-based guid (version 8 of RFC 9562: the hash is SHA-256). */
function guidOf(...parts: string[]): string {
  const hex = createHash('sha256').update(parts.join('\n').toLowerCase()).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** A role's permissions as Azure lists them. */
export interface Permissions {
  actions?: string[];
  notActions?: string[];
  dataActions?: string[];
  notDataActions?: string[];
}

/** Which of the needs none of the permissions cover. */
export function missingFrom(held: Permissions[], needs: RoleNeeds): string[] {
  const covers = (allowed: string[] = [], denied: string[] = [], wanted: string) =>
    allowed.some((pattern) => matches(pattern, wanted)) && !denied.some((pattern) => matches(pattern, wanted));
  return [
    ...needs.actions.filter((action) => !held.some(({ actions, notActions }) => covers(actions, notActions, action))),
    ...needs.dataActions.filter(
      (action) => !held.some(({ dataActions, notDataActions }) => covers(dataActions, notDataActions, action)),
    ),
  ];
}

/** `*` stands for any text, slashes included; case does not matter. */
function matches(pattern: string, action: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 'i').test(action);
}
