// Microsoft.Resources: resource groups, what is in them, and tags.
import { z } from 'zod';
import type { Answer, ArmRequest, Kernel, ResourceType } from '../contract.ts';
import { badRequest, notFound } from '../http/errors.ts';
import { groupId, lastName } from '../ids.ts';
import { isJson, type Json, parse } from '../json.ts';
import type { Resource } from '../store.ts';
import { heading, provisioning, tagsSchema, tracked } from './common.ts';

export const groupType = 'Microsoft.Resources/subscriptions/resourceGroups';
const groupBody = z.looseObject({ ...tracked });

export function resourcesProvider(kernel: Kernel): ResourceType[] {
  const { store, operations } = kernel;
  const find = (id: string): Resource => {
    const found = store.get(id);
    if (found) return found;
    throw notFound(`Resource group '${lastName(id)}' could not be found.`, 'ResourceGroupNotFound');
  };
  operations.define('delete group', {
    async run(_, target) {
      for (const resource of deletionOrder(store.within(target))) await kernel.dispose(resource);
      return () => store.remove(target);
    },
    failed: (_, target) => void store.change(target, { provisioningState: 'Succeeded' }),
  });

  const group: ResourceType = {
    type: groupType,
    put(request) {
      const body = parse(groupBody, request.body);
      const before = store.get(request.target.path);
      if (before && provisioning(before) === 'Deleting') {
        throw badRequest('ResourceGroupBeingDeleted', `The resource group '${lastName(before.id)}' is being deleted.`);
      }
      const head = { ...heading(request, 'Microsoft.Resources/resourceGroups', body) };
      if (before && before.body.location !== head.location) {
        throw badRequest(
          'InvalidResourceGroupLocation',
          `Invalid resource group location '${body.location}'. The group exists in '${before.body.location}'.`,
        );
      }
      const stored = store.put(request.target.path, groupType, {
        ...head,
        properties: { provisioningState: 'Succeeded' },
      });
      return { status: before ? 200 : 201, body: stored.body };
    },
    get: (request) => ({ status: 200, body: find(request.target.path).body }),
    head: (request) => ({ status: store.get(request.target.path) ? 204 : 404 }),
    patch(request) {
      const { tags } = parse(z.looseObject({ tags: tagsSchema }), request.body);
      const found = find(request.target.path);
      return { status: 200, body: store.put(found.id, groupType, { ...found.body, tags }).body };
    },
    delete(request) {
      const found = find(request.target.path);
      store.change(found.id, { provisioningState: 'Deleting' });
      return operations.accept(request, 'delete group', found.id, {}, { status: 202, headers: 'location' });
    },
    list: ({ target, query }) => {
      const all = store.within(`/subscriptions/${target.subscriptionId}`, groupType);
      return { status: 200, body: { value: filterResources(all, query.get('$filter')).map(({ body }) => body) } };
    },
    views: { resources: (request) => listResources(find(groupId(request.target.path)).id, request) },
  };
  const subscription: ResourceType = {
    type: 'Microsoft.Resources/subscriptions',
    get: ({ target }) => ({
      status: 200,
      body: {
        id: target.path,
        subscriptionId: target.subscriptionId,
        tenantId: kernel.tenantId,
        displayName: 'Local',
        state: 'Enabled',
      },
    }),
    views: { resources: (request) => listResources(`/subscriptions/${request.target.subscriptionId}`, request) },
  };
  return [group, subscription, tagsAtScope(kernel)];

  function listResources(scope: string, { query }: ArmRequest): Answer {
    const top = store.within(scope).filter(isListed);
    const value = filterResources(top, query.get('$filter')).map(({ body }) => {
      const { id, name, type, location, tags, identity } = body;
      return { id, name, type, location, tags, identity };
    });
    return { status: 200, body: { value } };
  }
}

/** What stands in the group itself: nothing below a resource, and nothing that hangs on one. */
const isListed = ({ id, type }: Resource): boolean =>
  type.split('/').length === 2 &&
  !type.startsWith('Microsoft.Authorization/') &&
  !/\/providers\/.*\/providers\//i.test(id);

/** The filters that lists of resources take: a tag with its value, or a type. */
function filterResources(resources: readonly Resource[], filter: string | null): Resource[] {
  if (!filter) return [...resources];
  const tag = /^\s*tagName eq '([^']*)'(?: and tagValue eq '([^']*)')?\s*$/i.exec(filter);
  if (tag) {
    const [, name, value] = tag;
    return resources.filter(({ body }) => {
      const tags = isJson(body.tags) ? body.tags : {};
      const found = Object.entries(tags).find(([key]) => key.toLowerCase() === name?.toLowerCase());
      return found !== undefined && (value === undefined || found[1] === value);
    });
  }
  const type = /^\s*resourceType eq '([^']*)'\s*$/i.exec(filter)?.[1];
  if (type) return resources.filter((resource) => resource.type.toLowerCase() === type.toLowerCase());
  throw badRequest('InvalidFilterInQueryString', `Invalid $filter '${filter}' specified in the query string.`);
}

/** Machines before what they use, so that a process ends before its disk goes. */
function deletionOrder(resources: readonly Resource[]): Resource[] {
  const first = (resource: Resource): number => (resource.type.endsWith('/virtualMachines') ? 0 : 1);
  return [...resources].sort((one, other) => first(one) - first(other));
}

/** `…/providers/Microsoft.Resources/tags/default`: the tags of any resource. */
function tagsAtScope({ store }: Kernel): ResourceType {
  const show = (scope: string, tags: unknown): Answer => ({
    status: 200,
    body: {
      id: `${scope}/providers/Microsoft.Resources/tags/default`,
      name: 'default',
      type: 'Microsoft.Resources/tags',
      properties: { tags: tags ?? {} },
    },
  });
  const at = (request: ArmRequest): Resource => {
    const found = store.get(request.target.scope);
    if (!found) throw notFound(`The scope '${request.target.scope}' was not found.`, 'ResourceNotFound');
    return found;
  };
  const write = (request: ArmRequest, merge: (before: Json, given: Json) => Json, given: Json): Answer => {
    const found = at(request);
    const before = isJson(found.body.tags) ? found.body.tags : {};
    const tags = merge(before, given);
    store.put(found.id, found.type, { ...found.body, tags });
    return show(found.id, tags);
  };
  const properties = z.looseObject({ tags: tagsSchema.default({}) });
  return {
    type: 'Microsoft.Resources/tags',
    get: (request) => show(request.target.scope, at(request).body.tags),
    put: (request) =>
      write(request, (_, given) => given, parse(z.looseObject({ properties }), request.body).properties.tags),
    patch(request) {
      const body = parse(
        z.looseObject({ operation: z.enum(['Merge', 'Replace', 'Delete']), properties }),
        request.body,
      );
      const merge = (before: Json, given: Json): Json => {
        if (body.operation === 'Replace') return given;
        if (body.operation === 'Merge') return { ...before, ...given };
        return Object.fromEntries(Object.entries(before).filter(([name, value]) => given[name] !== value));
      };
      return write(request, merge, body.properties.tags);
    },
    delete: (request) => write(request, () => ({}), {}),
  };
}
