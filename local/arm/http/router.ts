// From a target to the resource type, the handler and the action: what ARM does before a provider sees a request.
import type { Answer, ArmRequest, Handler, ResourceType } from '../contract.ts';
import type { Target } from '../ids.ts';
import { notSimulated } from './errors.ts';

export interface Route {
  readonly action: string;
  /** The scope at which the action must be allowed. */
  readonly scope: string;
  readonly handle: (request: ArmRequest) => Answer;
}

/** Finds the route of a request, or says which kind of resource is not simulated. */
export function route(types: ReadonlyMap<string, ResourceType>, method: string, target: Target): Route {
  const full = [target.namespace, ...target.types].join('/');
  const isResource = target.types.length > 0 && target.types.length === target.names.length;
  const type = types.get(full.toLowerCase());
  const verb = method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'delete' : 'write';
  if (isResource && type) {
    return found(
      `${type.type}/${verb}`,
      target.path,
      { GET: type.get, HEAD: type.head, PUT: type.put, PATCH: type.patch, DELETE: type.delete }[method],
    );
  }
  if (!isResource && type && method === 'GET') return found(`${type.type}/read`, collectionScope(target), type.list);
  const owner = types.get([target.namespace, ...target.types.slice(0, -1)].join('/').toLowerCase());
  const last = target.types.at(-1) ?? '';
  if (!isResource && owner) {
    const path = target.path.slice(0, target.path.lastIndexOf('/'));
    if (method === 'POST') return found(`${owner.type}/${last}/action`, path, owner.actions?.[last.toLowerCase()]);
    if (method === 'GET') return found(`${owner.type}/${last}/read`, path, owner.views?.[last.toLowerCase()]);
  }
  throw notSimulated(`${method} of '${full}' is not simulated.`);

  function found(action: string, scope: string, handle: Handler | undefined): Route {
    if (!handle) throw notSimulated(`${method} of '${full}' is not simulated.`);
    return { action, scope, handle };
  }
}

/** A list is allowed at the scope that is listed: the group, the subscription or the parent resource. */
function collectionScope(target: Target): string {
  if (target.types.length > 1) return target.path.slice(0, target.path.lastIndexOf('/'));
  return target.scope || '/';
}
