// Role definitions: the built-in ones, and custom ones that a caller with the right to may write.
import { z } from 'zod';
import { assignmentType, definitionType } from '../access/access.ts';
import { builtInRoles, type Role } from '../access/builtInRoles.ts';
import type { Kernel, ResourceType } from '../contract.ts';
import { badRequest, conflict, notFound } from '../http/errors.ts';
import { isGuid, isWithin, lastName, subscriptionOf } from '../ids.ts';
import { type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';

const actions = z.array(z.string()).default([]);
const definitionBody = z.looseObject({
  properties: z.looseObject({
    roleName: z.string().min(1),
    description: z.string().optional(),
    type: z.string().optional(),
    assignableScopes: z.array(z.string().startsWith('/')).min(1),
    permissions: z.array(
      z.looseObject({ actions, notActions: actions, dataActions: actions, notDataActions: actions }),
    ),
  }),
});

export function roleDefinitions({ store, access }: Kernel): ResourceType {
  const show = (role: Role, scope: string): Json => ({
    id: `${subscriptionOf(scope)}/providers/${definitionType}/${role.name}`,
    name: role.name,
    type: definitionType,
    properties: {
      roleName: role.roleName,
      type: 'BuiltInRole',
      description: '',
      assignableScopes: ['/'],
      permissions: role.permissions,
    },
  });
  const custom = (name: string): Resource | undefined =>
    store.ofType(definitionType).find(({ id }) => lastName(id).toLowerCase() === name.toLowerCase());
  return {
    type: definitionType,
    put({ target, body, caller, action }) {
      const { properties } = parse(definitionBody, body);
      for (const scope of properties.assignableScopes) access.demand(caller, action, scope);
      const name = lastName(target.path);
      if (!isGuid(name))
        throw badRequest(
          'InvalidRoleDefinitionId',
          `The role definition ID '${name}' is not valid. It must be a GUID.`,
        );
      if (builtInRoles.some((role) => role.name === name.toLowerCase()))
        throw badRequest('RoleDefinitionCannotBeUpdated', 'Built-in roles cannot be changed.');
      const twin = store
        .ofType(definitionType)
        .find((one) => text(one.body.properties, 'roleName') === properties.roleName);
      if (twin && lastName(twin.id).toLowerCase() !== name.toLowerCase()) {
        throw conflict(
          'RoleDefinitionWithSameNameExists',
          `A custom role with the same name already exists in this directory. Use a different name. Role name: '${properties.roleName}'.`,
        );
      }
      const id = custom(name)?.id ?? `${target.scope}/providers/${definitionType}/${name}`;
      const stored = store.put(id, definitionType, {
        id,
        name,
        type: definitionType,
        properties: { ...properties, type: 'CustomRole' },
      });
      return { status: 201, body: stored.body };
    },
    get({ target }) {
      const name = lastName(target.path);
      const builtIn = builtInRoles.find((role) => role.name === name.toLowerCase());
      const body = builtIn ? show(builtIn, target.scope) : custom(name)?.body;
      if (!body)
        throw notFound(`The specified role definition with ID '${name}' does not exist.`, 'RoleDefinitionDoesNotExist');
      return { status: 200, body };
    },
    list({ target, query }) {
      const customs = store
        .ofType(definitionType)
        .filter(({ body }) =>
          ((part(body, 'properties').assignableScopes ?? []) as string[]).some(
            (scope) => isWithin(target.scope, scope) || isWithin(scope, target.scope),
          ),
        );
      const all = [...builtInRoles.map((role) => show(role, target.scope)), ...customs.map(({ body }) => body)];
      const filter = query.get('$filter');
      const named = /roleName eq '([^']*)'/i.exec(filter ?? '')?.[1];
      const kind = /type eq '([^']*)'/i.exec(filter ?? '')?.[1];
      if (filter && named === undefined && kind === undefined && !/^atScope/i.test(filter))
        throw badRequest('InvalidFilter', `The filter '${filter}' is not supported.`);
      const value = all.filter(({ properties }) => {
        if (named !== undefined && text(properties, 'roleName') !== named) return false;
        return kind === undefined || text(properties, 'type') === kind;
      });
      return { status: 200, body: { value } };
    },
    delete({ target }) {
      const found = custom(lastName(target.path));
      if (!found) return { status: 204 };
      const used = store
        .ofType(assignmentType)
        .some(
          ({ body }) =>
            lastName(text(body.properties, 'roleDefinitionId') ?? '').toLowerCase() ===
            lastName(found.id).toLowerCase(),
        );
      if (used) throw conflict('RoleDefinitionHasAssignments', 'There are existing role assignments referencing role.');
      store.remove(found.id);
      return { status: 200, body: found.body };
    },
  };
}
