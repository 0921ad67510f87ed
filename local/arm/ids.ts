// Resource ids. They are compared without case but kept and shown as their creator wrote them.
// https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
import { createHash } from 'node:crypto';
import { badRequest } from './http/errors.ts';

/** What a path names: a resource when there is a name for every type, else a collection of one or something done to it. */
export interface Target {
  readonly path: string;
  /** Everything before the last `/providers/`: where an extension resource such as a role assignment hangs. */
  readonly scope: string;
  readonly subscriptionId: string;
  readonly group: string;
  readonly namespace: string;
  readonly types: readonly string[];
  readonly names: readonly string[];
}

export const keyOf = (id: string): string => id.toLowerCase();

export const sameId = (one: string, other: string): boolean => keyOf(one) === keyOf(other);

/** True when `id` is `scope` or lies below it. */
export function isWithin(id: string, scope: string): boolean {
  const outer = keyOf(scope).replace(/\/+$/, '');
  const inner = keyOf(id);
  return inner === outer || inner.startsWith(`${outer}/`);
}

export const lastName = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

/** The id two segments up: of `…/virtualNetworks/v/subnets/s` it is `…/virtualNetworks/v`. */
export const parentId = (id: string): string => id.split('/').slice(0, -2).join('/');

/** Resource group id of an id that has one. */
export function groupId(id: string): string {
  const found = /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+/i.exec(id);
  return found?.[0] ?? '';
}

/** Reads a request path. The name of a subscription or group alone is a resource of Microsoft.Resources. */
export function parseTarget(pathname: string): Target {
  let segments: string[];
  try {
    segments = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    throw badRequest('InvalidUri', 'The request URI is not properly encoded.');
  }
  const path = `/${segments.join('/')}`;
  const subscriptionId = segments[0]?.toLowerCase() === 'subscriptions' ? (segments[1] ?? '') : '';
  const group = segments[2]?.toLowerCase() === 'resourcegroups' ? (segments[3] ?? '') : '';
  const provider = segments.map((segment) => segment.toLowerCase()).lastIndexOf('providers');
  if (provider < 0) {
    const { types, names } = pairs(segments);
    return { path, scope: '', subscriptionId, group, namespace: 'Microsoft.Resources', types, names };
  }
  const { types, names } = pairs(segments.slice(provider + 2));
  const scope = provider === 0 ? '' : `/${segments.slice(0, provider).join('/')}`;
  return { path, scope, subscriptionId, group, namespace: segments[provider + 1] ?? '', types, names };
}

function pairs(segments: readonly string[]): { types: string[]; names: string[] } {
  const types = segments.filter((_, index) => index % 2 === 0);
  const names = segments.filter((_, index) => index % 2 === 1);
  return { types, names };
}

/** A guid that is always the same for the same text, for ids that must survive being made twice. */
export function guidOf(seed: string): string {
  const hex = createHash('sha256').update(seed.toLowerCase()).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const isGuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** The subscription's id at the beginning of an id, if it has one. */
export const subscriptionOf = (id: string): string => /^\/subscriptions\/[^/]+/i.exec(id)?.[0] ?? '';
