// Which ranges of a change feed this host should serve: an equal share among the hosts that hold leases, as the change
// feed processor of https://github.com/Azure/azure-cosmos-dotnet-v3 reckons it. Pure.
import type { Lease } from './cosmosLeases.ts';

export interface Share {
  /** Free leases to take now. */
  take: Lease[];
  /** The lease of a host that has more than its share, when none is free. */
  ask: Lease | undefined;
}

/** `served` are the leases that this process serves already; `expiration` and `now` are milliseconds. */
export function shareOf(
  leases: readonly Lease[],
  { owner, served, now, expiration }: { owner: string; served: ReadonlySet<string>; now: number; expiration: number },
): Share {
  const mine: Lease[] = [];
  const free: Lease[] = [];
  const others = new Map<string, Lease[]>();
  for (const lease of leases) {
    const { Owner, timestamp, properties } = lease;
    // Given up by another host because this one asked.
    const isGiven = Owner === null && properties.wantedBy === owner;
    if (Owner === owner || isGiven) mine.push(lease);
    else if (Date.parse(timestamp) + expiration < now) free.push(lease);
    else if (Owner !== null) others.set(Owner, [...(others.get(Owner) ?? []), lease]);
    else if (properties.wantedBy === undefined) free.push(lease);
  }
  const target = Math.ceil(leases.length / (others.size + 1));
  const needed = Math.max(0, target - mine.length);
  // What is ours and not served was ours before a crash, or is given to us.
  const take = [...mine.filter(({ id }) => !served.has(id)), ...free.slice(0, needed)];
  if (needed === 0 || free.length > 0) return { take, ask: undefined };
  const [most = []] = [...others.values()].sort((a, b) => b.length - a.length);
  // One at a time, and never so that the other would ask for it back.
  const isRich = most.length > target - (needed > 1 ? 1 : 0);
  const isAsked = most.some(({ properties }) => properties.wantedBy !== undefined);
  return { take, ask: isRich && !isAsked ? most[0] : undefined };
}
