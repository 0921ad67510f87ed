// What a subscription may use in a region, and uses. Asked as the planning identity: these are rights on the
// subscription, which the working identities do not have.
import { MigrationError } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import type { Capacity, CapacityFacts, OfferedSize } from '../policy/capacity.ts';
import { attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure } from './contract.ts';

// A hundred workloads that stop at the same time ask the same; what is used changes within minutes, what is offered in weeks.
const usagesKeptMs = 20_000;
const sizesKeptMs = 3_600_000;

/** Throws transient failures; a refusal is an answer (`known: false`). */
export function createCapacity(planning: Clients, now: () => number = Date.now): Azure['capacity'] {
  const usages = remembering(usagesKeptMs, now, readUsages);
  const sizes = remembering(sizesKeptMs, now, readSizes);
  return async ({ subscriptionId, region }: Environment): Promise<Capacity> => {
    try {
      const [used, offered] = await Promise.all([usages(subscriptionId, region), sizes(subscriptionId, region)]);
      return { known: true, facts: { region, usages: used, sizes: offered } };
    } catch (error) {
      if (!(error instanceof MigrationError) || error.failure.code !== 'forbidden') throw error;
      const reason = `The planning identity may not read usages and sizes of subscription ${subscriptionId}; grant it Reader there.`;
      return { known: false, reason };
    }
  };

  function readUsages(subscriptionId: string, region: string): Promise<CapacityFacts['usages']> {
    return attempt(`reading the quota of ${region}`, async () => {
      const found: CapacityFacts['usages'][number][] = [];
      for await (const { name, currentValue, limit } of planning.compute(subscriptionId).usage.list(region))
        found.push({ name: name.value ?? '', used: currentValue, limit });
      return found;
    });
  }

  function readSizes(subscriptionId: string, region: string): Promise<OfferedSize[]> {
    return attempt(`reading the machine sizes of ${region}`, async () => {
      const found: OfferedSize[] = [];
      // https://learn.microsoft.com/rest/api/compute/resource-skus/list: only a location can be filtered for.
      const pages = planning.compute(subscriptionId).resourceSkus.list({ filter: `location eq '${region}'` });
      for await (const { resourceType, name = '', family = '', capabilities = [], restrictions = [] } of pages) {
        if (resourceType !== 'virtualMachines') continue;
        const cores = Number(
          capabilities.find((one) => one.name === 'vCPUsAvailable')?.value ??
            capabilities.find((one) => one.name === 'vCPUs')?.value,
        );
        // A restriction of zones leaves the region usable: no zone is chosen.
        const restriction = restrictions.find(({ type }) => type === 'Location')?.reasonCode;
        found.push({ name, family, cores, restriction });
      }
      return found;
    });
  }
}

/** One answer for all who ask within a time, also while it is on its way; failures are not kept. */
function remembering<T>(
  keptMs: number,
  now: () => number,
  read: (subscriptionId: string, region: string) => Promise<T>,
): (subscriptionId: string, region: string) => Promise<T> {
  const known = new Map<string, { at: number; answer: Promise<T> }>();
  return (subscriptionId, region) => {
    const key = `${subscriptionId} ${region}`;
    const kept = known.get(key);
    if (kept !== undefined && now() - kept.at < keptMs) return kept.answer;
    const answer = read(subscriptionId, region);
    known.set(key, { at: now(), answer });
    answer.catch(() => known.delete(key));
    return answer;
  };
}
