// Step 1: what the working identities may do, and our roles where that is too little. Reads and assigns as the planning
// identity; asks for the effective permissions as the working identities themselves.
import type { Permission, RoleAssignment } from '@azure/arm-authorization';
import { MigrationError, toMigrationError, transient } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, MadeRole, RoleGap } from './contract.ts';
import { groupScope } from './resourceIds.ts';
import {
  missingFrom,
  needsOf,
  ownershipNote,
  roleAssignmentGuid,
  roleDefinitionGuid,
  roleNameOf,
  type WorkingRole,
} from './roles.ts';
import { type Scope, scopesOf } from './scopes.ts';

const workingRoles = ['replication', 'cutover'] as const;

export function createAuthorization(planning: Clients, working: Record<WorkingRole, Clients>): Azure['authorization'] {
  return {
    async gaps(environment, besides) {
      const gaps: RoleGap[] = [];
      for (const role of workingRoles) {
        const principalId = environment.identities[role];
        for (const scope of scopesOf(environment, role)) {
          const held = await heldBy(planning, principalId, scope);
          const missing = missingFrom(held, needsOf(role, besides));
          const roleName = roleNameOf(role, environment.id);
          if (missing.length > 0) gaps.push({ principalId, role, scope: groupScope(scope), roleName, missing });
        }
      }
      return gaps;
    },

    async grant(environment, gaps, besides) {
      const made: MadeRole[] = [];
      for (const role of workingRoles) {
        const missing = gaps.filter((gap) => gap.role === role);
        if (missing.length === 0) continue;
        const definitionId = await defineRole(planning, environment, role, besides);
        made.push({ kind: 'roleDefinition', id: definitionId });
        for (const { scope, principalId } of missing) {
          const id = await assign(planning, environment, role, definitionId, scope, principalId);
          if (id !== undefined) made.push({ kind: 'roleAssignment', id });
        }
      }
      return made;
    },

    async effective(environment, besides) {
      for (const role of workingRoles) {
        for (const { subscriptionId, resourceGroup } of scopesOf(environment, role)) {
          const { permissions } = working[role].authorization(subscriptionId);
          const held = await unlessForbidden(`asking what the ${role} identity may do`, () =>
            collect<Permission>(permissions.listForResourceGroup(resourceGroup)),
          );
          if (!held || missingFrom(held, needsOf(role, besides)).length > 0) return false;
        }
      }
      return true;
    },

    async revoke(environment, made) {
      const { roleAssignments, roleDefinitions } = planning.authorization(environment.subscriptionId);
      const ours = (description: string | undefined) => description?.includes(ownershipNote(environment.id)) === true;
      // Assignments first: a definition that is still assigned can't be deleted.
      for (const { id } of made.filter(({ kind }) => kind === 'roleAssignment')) {
        const found = await absentAsUndefined('reading a role assignment', () => roleAssignments.getById(id));
        if (!found || !ours(found.description)) continue;
        await absentAsUndefined('deleting a role assignment', () => roleAssignments.deleteById(id));
      }
      for (const { id } of made.filter(({ kind }) => kind === 'roleDefinition')) {
        const found = await absentAsUndefined('reading a role definition', () => roleDefinitions.getById(id));
        if (!found || !ours(found.description)) continue;
        const name = id.slice(id.lastIndexOf('/') + 1);
        await absentAsUndefined('deleting a role definition', () =>
          roleDefinitions.delete(groupScope(environment), name),
        );
      }
    },
  };
}

/** Permissions of a principal through assignments at or above a resource group. A conditional one is not counted on. */
async function heldBy(planning: Clients, principalId: string, scope: Scope): Promise<Permission[]> {
  const client = planning.authorization(scope.subscriptionId);
  return attempt(`reading role assignments of ${principalId}`, async () => {
    const assignments = await collect<RoleAssignment>(
      client.roleAssignments.listForScope(groupScope(scope), { filter: `assignedTo('${principalId}')` }),
    );
    const counting = assignments.filter((one) => !one.condition && isAtOrAbove(one.scope, groupScope(scope)));
    const ids = new Set(counting.flatMap(({ roleDefinitionId }) => roleDefinitionId ?? []));
    const roles = await Promise.all([...ids].map((id) => client.roleDefinitions.getById(id)));
    return roles.flatMap(({ permissions }) => permissions ?? []);
  });
}

function isAtOrAbove(scope: string | undefined, group: string): boolean {
  if (scope === undefined) return false;
  const bare = scope.replace(/\/$/, '').toLowerCase();
  return group.toLowerCase() === bare || group.toLowerCase().startsWith(`${bare}/`);
}

/** Writes our role definition, also over an older one of ours, and returns its id. */
async function defineRole(
  planning: Clients,
  environment: Environment,
  role: WorkingRole,
  besides: readonly string[],
): Promise<string> {
  const scope = groupScope(environment);
  const name = roleDefinitionGuid(environment, role);
  const { actions, dataActions } = needsOf(role, besides);
  const roleName = roleNameOf(role, environment.id);
  const definition = await attempt(`defining the role ${roleName}`, () =>
    planning.authorization(environment.subscriptionId).roleDefinitions.createOrUpdate(scope, name, {
      roleName,
      roleType: 'CustomRole',
      description: ownershipNote(environment.id),
      permissions: [{ actions, notActions: [], dataActions, notDataActions: [] }],
      assignableScopes: scopesOf(environment, role).map(groupScope),
    }),
  );
  return definition.id ?? `${scope}/providers/Microsoft.Authorization/roleDefinitions/${name}`;
}

/** Assigns a role; undefined when somebody else has assigned it already. */
async function assign(
  planning: Clients,
  environment: Environment,
  role: WorkingRole,
  roleDefinitionId: string,
  scope: string,
  principalId: string,
): Promise<string | undefined> {
  const { roleAssignments } = planning.authorization(environment.subscriptionId);
  const name = roleAssignmentGuid(environment, role, scope, principalId);
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  const doing = `assigning ${roleNameOf(role, environment.id)}`;
  if (await absentAsUndefined(doing, () => roleAssignments.get(scope, name))) return id;
  try {
    await roleAssignments.create(scope, name, {
      roleDefinitionId,
      principalId,
      // Told, Azure doesn't look the principal up in a directory replica that may not know it yet.
      principalType: 'ServicePrincipal',
      description: ownershipNote(environment.id),
    });
    return id;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'RoleAssignmentExists') {
      const mine = await absentAsUndefined(doing, () => roleAssignments.get(scope, name));
      return mine === undefined ? undefined : id;
    }
    if (code === 'PrincipalNotFound' || code === 'RoleDefinitionDoesNotExist') {
      const { failure } = toMigrationError(error, doing);
      const suggestion = 'The directory does not know it yet everywhere; it is tried again.';
      throw new MigrationError({ ...transient('unavailable', failure.message, suggestion, 10).failure });
    }
    throw toMigrationError(error, doing);
  }
}

/** While nothing has propagated, even this question may be refused: that is an answer, too. */
async function unlessForbidden<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const migrationError = toMigrationError(error, doing);
    if (migrationError.failure.code === 'forbidden') return undefined;
    throw migrationError;
  }
}

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of pages) all.push(one);
  return all;
}
