import type { Environment } from '../model/environment.ts';
import { ArmId } from '../model/ids.ts';
import type { WorkingRole } from './roles.ts';

/** A resource group in which a working identity acts. */
export interface Scope {
  subscriptionId: string;
  resourceGroup: string;
}

/**
 * The resource groups that a role is needed in: the environment's own, and those of what the environment names
 * elsewhere. What only a wave names must lie in one of them.
 */
export function scopesOf(environment: Environment, role: WorkingRole): Scope[] {
  const own = { subscriptionId: environment.subscriptionId, resourceGroup: environment.resourceGroup };
  const { appliance, settings, staging } = environment;
  const named = role === 'replication' ? [staging.accountId] : armIdsIn({ appliance, settings, staging });
  const groups = [own, ...named.flatMap((id) => groupOf(id) ?? [])];
  const byKey = new Map<string, Scope>();
  for (const group of groups) {
    const key = `${group.subscriptionId}/${group.resourceGroup}`.toLowerCase();
    if (!byKey.has(key)) byKey.set(key, group);
  }
  return [...byKey.values()];
}

function groupOf(id: string): Scope | undefined {
  const [, subscriptionId, resourceGroup] = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\//i.exec(id) ?? [];
  return subscriptionId === undefined || resourceGroup === undefined ? undefined : { subscriptionId, resourceGroup };
}

function armIdsIn(value: unknown): string[] {
  if (typeof value === 'string') return ArmId.safeParse(value).success ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(armIdsIn);
}
