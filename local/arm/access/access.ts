// Who may do what. Every request maps to one action; it must be allowed by a role assignment at or above the scope.
// https://learn.microsoft.com/azure/role-based-access-control/overview
import type { Caller } from '../contract.ts';
import { ArmError } from '../http/errors.ts';
import { isWithin, lastName } from '../ids.ts';
import { items, text } from '../json.ts';
import type { Resource, Store } from '../store.ts';
import { allows, builtInRoles, type Permission } from './builtInRoles.ts';
import { type ConditionFacts, compileCondition } from './condition.ts';

export const assignmentType = 'Microsoft.Authorization/roleAssignments';
export const definitionType = 'Microsoft.Authorization/roleDefinitions';

type RoleFacts = Omit<ConditionFacts, 'action'>;

export class Access {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Throws Azure's 403 unless the caller may. */
  demand(caller: Caller, action: string, scope: string, roles: RoleFacts = {}): void {
    if (this.may(caller.oid, action, scope, roles)) return;
    throw new ArmError(
      403,
      'AuthorizationFailed',
      `The client '${caller.appid ?? caller.oid}' with object id '${caller.oid}' does not have authorization to ` +
        `perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, ` +
        'please refresh your credentials.',
    );
  }

  /** As `demand`, for a resource that the request only refers to: joining a subnet, attaching a network interface. */
  demandLinked(caller: Caller, request: { action: string; scope: string }, action: string, linked: string): void {
    if (this.may(caller.oid, action, linked, {})) return;
    throw new ArmError(
      403,
      'LinkedAuthorizationFailed',
      `The client '${caller.appid ?? caller.oid}' with object id '${caller.oid}' has permission to perform action ` +
        `'${request.action}' on scope '${request.scope}'; however, it does not have permission to perform action(s) ` +
        `'${action}' on the linked scope(s) '${linked}' (respectively) or the linked scope(s) are invalid.`,
    );
  }

  may(oid: string, action: string, scope: string, roles: RoleFacts = {}): boolean {
    return this.#assignments(oid, scope).some((assignment) => {
      const condition = text(assignment.body.properties, 'condition');
      if (condition && !compileCondition(condition)({ action, ...roles })) return false;
      return allows(this.permissionsOf(text(assignment.body.properties, 'roleDefinitionId') ?? ''), action);
    });
  }

  /** The permissions that a caller has at a scope, one entry per role that it holds there. */
  effective(oid: string, scope: string): Permission[] {
    return this.#assignments(oid, scope).flatMap((assignment) => [
      ...this.permissionsOf(text(assignment.body.properties, 'roleDefinitionId') ?? ''),
    ]);
  }

  permissionsOf(roleDefinitionId: string): readonly Permission[] {
    const name = lastName(roleDefinitionId).toLowerCase();
    const builtIn = builtInRoles.find((role) => role.name === name);
    if (builtIn) return builtIn.permissions;
    const custom = this.#store.ofType(definitionType).find(({ id }) => lastName(id).toLowerCase() === name);
    return items(custom?.body.properties, 'permissions').map((permission) => ({
      actions: (permission.actions ?? []) as string[],
      notActions: (permission.notActions ?? []) as string[],
      dataActions: (permission.dataActions ?? []) as string[],
      notDataActions: (permission.notDataActions ?? []) as string[],
    }));
  }

  #assignments(oid: string, scope: string): Resource[] {
    const now = Date.now();
    return this.#store.ofType(assignmentType).filter(({ body, hidden }) => {
      const properties = body.properties;
      if (text(properties, 'principalId')?.toLowerCase() !== oid.toLowerCase()) return false;
      if (!isWithin(scope, text(properties, 'scope') ?? '')) return false;
      return Number(hidden.effectiveAt ?? 0) <= now;
    });
  }
}
