// Role assignments. Who may write one is decided with the role that it gives, because conditions look at that.
import { z } from 'zod';
import { assignmentType, definitionType } from '../access/access.ts';
import { builtInRoles } from '../access/builtInRoles.ts';
import { compileCondition } from '../access/condition.ts';
import type { ArmRequest, Kernel, ResourceType } from '../contract.ts';
import { badRequest, conflict, notFound } from '../http/errors.ts';
import { guidOf, isGuid, isWithin, keyOf, lastName, sameId, subscriptionOf } from '../ids.ts';
import { type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';

const assignmentBody = z.looseObject({
  properties: z.looseObject({
    roleDefinitionId: z.string().min(1),
    principalId: z.guid(),
    principalType: z.string().optional(),
    description: z.string().nullish(),
    condition: z.string().nullish(),
    conditionVersion: z.string().nullish(),
  }),
});
/** A role assignment that exists from the start. */
export interface SeedAssignment {
  readonly scope: string;
  readonly principalId: string;
  /** A role definition id, the guid of a role, or the name of a built-in one. */
  readonly roleDefinitionId?: string | undefined;
  readonly roleName?: string | undefined;
  readonly name?: string | undefined;
  readonly principalType?: string | undefined;
  readonly condition?: string | undefined;
}

export function roleAssignments(kernel: Kernel): ResourceType {
  const { store, access } = kernel;
  const roleOf = (assignment: Resource): string =>
    lastName(text(assignment.body.properties, 'roleDefinitionId') ?? '').toLowerCase();
  return {
    type: assignmentType,
    put(request) {
      const { target, caller } = request;
      const { properties } = parse(assignmentBody, request.body);
      const requestedRole = lastName(properties.roleDefinitionId).toLowerCase();
      access.demand(caller, request.action, target.path, { requestedRole });
      const name = lastName(target.path);
      if (!isGuid(name))
        throw badRequest(
          'InvalidRoleAssignmentId',
          `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
        );
      if (access.permissionsOf(requestedRole).length === 0) {
        throw badRequest(
          'RoleDefinitionDoesNotExist',
          `The specified role definition with ID '${requestedRole}' does not exist.`,
        );
      }
      requireScope(kernel, target.scope);
      if (!kernel.knownPrincipal(properties.principalId)) {
        throw badRequest(
          'PrincipalNotFound',
          `Principal ${properties.principalId.replaceAll('-', '')} does not exist in the directory ${kernel.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.`,
        );
      }
      if (properties.condition) {
        if (properties.conditionVersion !== '2.0')
          throw badRequest('InvalidRoleAssignmentConditionVersion', "The condition version must be '2.0'.");
        compileCondition(properties.condition);
      }
      const twin = store
        .ofType(assignmentType)
        .find(
          (one) =>
            sameId(text(one.body.properties, 'scope') ?? '', target.scope) &&
            keyOf(text(one.body.properties, 'principalId') ?? '') === keyOf(properties.principalId) &&
            roleOf(one) === requestedRole,
        );
      if (twin && !sameId(twin.id, target.path)) {
        throw conflict(
          'RoleAssignmentExists',
          `The role assignment already exists. The ID of the existing role assignment is ${lastName(twin.id).replaceAll('-', '')}.`,
        );
      }
      const before = store.get(target.path);
      if (before && before.id !== twin?.id) {
        throw badRequest(
          'RoleAssignmentUpdateNotPermitted',
          'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
        );
      }
      const now = new Date().toISOString();
      const created = before ? part(before.body, 'properties') : { createdOn: now, createdBy: caller.oid };
      const body = assignment(target.path, target.scope, {
        ...properties,
        createdOn: created.createdOn,
        createdBy: created.createdBy,
        updatedOn: now,
        updatedBy: caller.oid,
      });
      const stored = store.put(
        target.path,
        assignmentType,
        body,
        before?.hidden ?? { effectiveAt: Date.now() + kernel.propagation },
      );
      return { status: before ? 200 : 201, body: stored.body };
    },
    get({ target }) {
      const found = store.get(target.path);
      if (!found)
        throw notFound(`The role assignment '${lastName(target.path)}' is not found.`, 'RoleAssignmentNotFound');
      return { status: 200, body: found.body };
    },
    delete(request) {
      const found = store.get(request.target.path);
      access.demand(request.caller, request.action, request.target.path, { resourceRole: found && roleOf(found) });
      if (!found) return { status: 204 };
      store.remove(found.id);
      return { status: 200, body: found.body };
    },
    list: (request) => ({ status: 200, body: { value: filtered(kernel, request).map(({ body }) => body) } }),
  };
}

/** Assignments at, above and below the scope; `atScope()` leaves out those below. */
function filtered({ store }: Kernel, { target, query }: ArmRequest): Resource[] {
  const filter = query.get('$filter') ?? '';
  const principal = /(?:principalId eq|assignedTo\()\s*'([^']*)'/i.exec(filter)?.[1];
  const atScope = /atScope\(\)/i.test(filter);
  if (filter && !principal && !atScope)
    throw badRequest(
      'InvalidFilter',
      `The filter '${filter}' is not supported. Supported are atScope() and principalId eq '{value}'.`,
    );
  return store.ofType(assignmentType).filter(({ body }) => {
    const scope = text(body.properties, 'scope') ?? '';
    if (principal && keyOf(text(body.properties, 'principalId') ?? '') !== keyOf(principal)) return false;
    return isWithin(target.scope, scope) || (!atScope && isWithin(scope, target.scope));
  });
}

function requireScope({ store }: Kernel, scope: string): void {
  if (/^\/subscriptions\/[^/]+$/i.test(scope) || store.get(scope) || /\/subnets\/[^/]+$/i.test(scope)) return;
  if (/^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+$/i.test(scope))
    throw notFound(`Resource group '${lastName(scope)}' could not be found.`, 'ResourceGroupNotFound');
  throw notFound(`The scope '${scope}' was not found.`, 'ResourceNotFound');
}

const assignment = (id: string, scope: string, properties: Json): Json => ({
  id,
  name: lastName(id),
  type: assignmentType,
  properties: { principalType: 'ServicePrincipal', ...properties, scope },
});

/** Writes declared assignments that are missing; they count at once. */
export function seedAssignments({ store }: Kernel, seeds: readonly SeedAssignment[]): void {
  for (const seed of seeds) {
    const builtIn = builtInRoles.find((role) => role.roleName === seed.roleName);
    const role = seed.roleDefinitionId ?? builtIn?.name;
    if (!role) throw new Error(`A declared role assignment names no known role: ${JSON.stringify(seed)}`);
    if (seed.condition) compileCondition(seed.condition);
    const roleDefinitionId = role.includes('/')
      ? role
      : `${subscriptionOf(seed.scope)}/providers/${definitionType}/${role}`;
    const name = seed.name ?? guidOf(`${seed.scope} ${seed.principalId} ${lastName(role)}`);
    const id = `${seed.scope === '/' ? '' : seed.scope}/providers/${assignmentType}/${name}`;
    if (store.get(id)) continue;
    const { principalId, principalType, condition } = seed;
    const conditions = condition ? { condition, conditionVersion: '2.0' } : {};
    store.put(
      id,
      assignmentType,
      assignment(id, seed.scope, {
        roleDefinitionId,
        principalId,
        principalType: principalType ?? 'ServicePrincipal',
        ...conditions,
      }),
    );
  }
}
