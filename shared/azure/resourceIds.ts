// Azure resource ids: taken apart, compared, built. Azure compares them without regard to case.
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';

interface ResourceId {
  subscriptionId: string;
  resourceGroup: string;
  /** Such as `Microsoft.Network/virtualNetworks/subnets`. */
  type: string;
  names: string[];
}

/** Takes an id of a resource in a resource group apart. */
function parseResourceId(id: string): ResourceId {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+)\/(.+)$/i.exec(id);
  if (!match) {
    throw terminal(
      'invalidInput',
      `"${id}" does not name a resource in a resource group.`,
      'Give the full resource id.',
    );
  }
  const [, subscriptionId = '', resourceGroup = '', namespace = '', rest = ''] = match;
  const parts = rest.split('/');
  return {
    subscriptionId,
    resourceGroup,
    type: [namespace, ...parts.filter((_, index) => index % 2 === 0)].join('/'),
    names: parts.filter((_, index) => index % 2 === 1),
  };
}

/** The type of a resource, such as `Microsoft.Network/dnsZones`, as its id spells it. */
export function typeOf(id: string): string {
  return parseResourceId(id).type;
}

/** As `parseResourceId`, for one type and its last name. */
export function parseIdOf(type: string, id: string): ResourceId & { name: string } {
  const parsed = parseResourceId(id);
  const name = parsed.names.at(-1);
  if (parsed.type.toLowerCase() !== type.toLowerCase() || name === undefined) {
    throw terminal('invalidInput', `"${id}" is not of type ${type}.`, 'Give the id of a resource of that type.');
  }
  return { ...parsed, name };
}

export function sameId(a: string | undefined, b: string | undefined): boolean {
  return a?.toLowerCase() === b?.toLowerCase();
}

/** Scope of the environment's resource group. */
export function groupScope({
  subscriptionId,
  resourceGroup,
}: {
  subscriptionId: string;
  resourceGroup: string;
}): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}

/** Id of a resource of ours in the environment's resource group. */
export function idIn(environment: Environment, type: string, name: string): string {
  return `${groupScope(environment)}/providers/${type}/${name}`;
}
