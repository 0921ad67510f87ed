// What all providers do alike: find, show, list, tag, and the usual errors with Azure's wording.
import { z } from 'zod';
import type { Answer, ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { ArmError, notFound } from '../http/errors.ts';
import { groupId, lastName } from '../ids.ts';
import { isJson, type Json, parse, part } from '../json.ts';
import type { Resource } from '../store.ts';

export const tagsSchema = z.record(z.string(), z.string());
export const reference = z.looseObject({ id: z.string().startsWith('/') });

/** The fields that every tracked resource has in a PUT. */
export const tracked = { location: z.string().min(1), tags: tagsSchema.optional() };

export function missing(id: string, type: string): ArmError {
  const group = lastName(groupId(id));
  return notFound(
    `The Resource '${type}/${lastName(id)}' under resource group '${group}' was not found. ` +
      'For more details please go to https://aka.ms/ARMResourceNotFoundFix',
    'ResourceNotFound',
  );
}

/** The resource at the target of a request. */
export function existing(kernel: Kernel, id: string, type: string): Resource {
  const found = kernel.store.get(id);
  if (!found) throw missing(id, type);
  return found;
}

/** Refuses to create into a resource group that does not exist, or is on its way out. */
export function requireGroup(kernel: Kernel, id: string): void {
  const group = kernel.store.get(groupId(id));
  if (!group) throw notFound(`Resource group '${lastName(groupId(id))}' could not be found.`, 'ResourceGroupNotFound');
  if (provisioning(group) === 'Deleting') {
    throw new ArmError(
      409,
      'ResourceGroupBeingDeleted',
      `The resource group '${lastName(group.id)}' is being deleted.`,
    );
  }
}

export function provisioning(resource: Resource): string {
  return String(part(resource.body, 'properties').provisioningState ?? '');
}

/** The head of every body: id, name, type, location, tags. */
export function heading(request: ArmRequest, type: string, body: { location?: string; tags?: unknown }): Json {
  const heading: Json = { id: request.target.path, name: lastName(request.target.path), type };
  if (body.location) heading.location = body.location.toLowerCase().replaceAll(' ', '');
  if (isJson(body.tags)) heading.tags = body.tags;
  return heading;
}

/** Shows a resource as Microsoft.Network does, with its etag in the body. */
export const withEtag = (resource: Resource): Json => ({ ...resource.body, etag: `W/"${resource.etag}"` });

/** GET, list and tags PATCH for a type whose resources are shown as they are stored (or through `present`). */
export function readable(
  kernel: Kernel,
  type: string,
  present: (resource: Resource) => Json = ({ body }) => body,
): Pick<ResourceType, 'type' | 'get' | 'list' | 'patch' | 'present'> {
  const get: Handler = ({ target }) => ({ status: 200, body: present(existing(kernel, target.path, type)) });
  const list: Handler = ({ target }) => {
    const scope = target.types.length > 1 ? target.path.slice(0, target.path.lastIndexOf('/')) : target.scope;
    return { status: 200, body: { value: kernel.store.within(scope, type).map(present) } };
  };
  const patch: Handler = ({ target, body }) => {
    const { tags } = parse(z.strictObject({ tags: tagsSchema }), body);
    const found = existing(kernel, target.path, type);
    return { status: 200, body: present(kernel.store.put(found.id, type, { ...found.body, tags })) };
  };
  return { type, get, list, patch, present };
}

/** DELETE as an operation: 204 when there is nothing, `guard` refuses what is in use, now and again when it is done. */
export function deletable(
  kernel: Kernel,
  type: string,
  guard: (resource: Resource) => void = () => undefined,
): Handler {
  kernel.operations.define(`delete ${type}`, {
    async run(_, target) {
      const found = kernel.store.get(target);
      if (found) {
        guard(found);
        await kernel.dispose(found);
      }
      return () => {
        kernel.store.remove(target);
      };
    },
    failed: (_, target) => void kernel.store.change(target, { provisioningState: 'Succeeded' }),
  });
  return (request): Answer => {
    const found = kernel.store.get(request.target.path);
    if (!found) return { status: 204 };
    guard(found);
    kernel.store.change(found.id, { provisioningState: 'Deleting' });
    return kernel.operations.accept(request, `delete ${type}`, found.id, {}, { status: 202 });
  };
}

/** An operation that only ends in `provisioningState: Succeeded`, as PUTs of network resources do. */
export function defineSettle(kernel: Kernel): void {
  kernel.operations.define('settle', {
    run: async (_, target) => () => void kernel.store.change(target, { provisioningState: 'Succeeded' }),
    failed: (_, target) => void kernel.store.change(target, { provisioningState: 'Failed' }),
  });
}
