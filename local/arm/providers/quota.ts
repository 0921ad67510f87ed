// What machines count against, running or not: the cores of their family and of the region, and which sizes a
// subscription may use at all.
// https://learn.microsoft.com/azure/virtual-machines/quotas
import type { Handler, Kernel, SubscriptionQuota } from '../contract.ts';
import { conflict } from '../http/errors.ts';
import { keyOf, sameId } from '../ids.ts';
import { part, text } from '../json.ts';
import { type Size, sizeOf, sizes } from './sizes.ts';

export const machineType = 'Microsoft.Compute/virtualMachines';

const regional = { value: 'cores', localizedValue: 'Total Regional vCPUs' };
const unlimited = Number.MAX_SAFE_INTEGER;

const declared = (kernel: Kernel, subscriptionId: string): SubscriptionQuota | undefined =>
  kernel.subscriptions.find((one) => keyOf(one.subscriptionId) === keyOf(subscriptionId));

const limitOf = (kernel: Kernel, subscriptionId: string, name: string): number =>
  declared(kernel, subscriptionId)?.quota[name] ?? unlimited;

/** The sizes of a subscription's machines at a location. */
function machineSizes(kernel: Kernel, subscriptionId: string, location: string, except = ''): Size[] {
  return kernel.store
    .within(`/subscriptions/${subscriptionId}`, machineType)
    .filter(({ id, body }) => body.location === location && !sameId(id, except))
    .map(({ body }) => sizeOf(text(part(part(body, 'properties'), 'hardwareProfile'), 'vmSize') ?? ''));
}

const coresOf = (some: readonly Size[]): number => some.reduce((sum, { cores }) => sum + cores, 0);

/** Refuses a machine of a size that the subscription may not use, or that exceeds its cores. */
export function checkQuota(
  kernel: Kernel,
  subscriptionId: string,
  location: string,
  machineId: string,
  sizeName: string,
): void {
  const size = sizeOf(sizeName);
  if (isRestricted(kernel, subscriptionId, size))
    throw conflict(
      'SkuNotAvailable',
      `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size.name}' is currently not available in location '${location}'.`,
    );
  const others = machineSizes(kernel, subscriptionId, location, machineId);
  const ofFamily = others.filter(({ family }) => family === size.family);
  for (const [name, title, used] of [
    [regional.value, 'Total Regional Cores', coresOf(others)],
    [size.family, `${size.family} Cores`, coresOf(ofFamily)],
  ] as const) {
    const limit = limitOf(kernel, subscriptionId, name);
    if (used + size.cores <= limit) continue;
    throw conflict(
      'OperationNotAllowed',
      `Operation could not be completed as it results in exceeding approved ${title} quota. Additional details - ` +
        `Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limit}, Current Usage: ${used}, ` +
        `Additional Required: ${size.cores}, (Minimum) New Limit Required: ${used + size.cores}.`,
    );
  }
}

const isRestricted = (kernel: Kernel, subscriptionId: string, { name }: Size): boolean =>
  declared(kernel, subscriptionId)?.restricted?.some((one) => one.toLowerCase() === name.toLowerCase()) ?? false;

export function usages(kernel: Kernel): Handler {
  return ({ target }) => {
    const { subscriptionId } = target;
    const location = (target.names[0] ?? '').toLowerCase();
    const used = machineSizes(kernel, subscriptionId, location);
    const usage = (name: { value: string; localizedValue: string }, currentValue: number, limit: number): unknown => ({
      ...{ name, unit: 'Count', currentValue, limit },
    });
    const machines = { value: 'virtualMachines', localizedValue: 'Virtual Machines' };
    const families = [...new Set(sizes.map(({ family }) => family))].map((family) =>
      usage(
        { value: family, localizedValue: `${family} vCPUs` },
        coresOf(used.filter((size) => size.family === family)),
        limitOf(kernel, subscriptionId, family),
      ),
    );
    const value = [
      usage(regional, coresOf(used), limitOf(kernel, subscriptionId, regional.value)),
      usage(machines, used.length, declared(kernel, subscriptionId)?.quota[machines.value] ?? 25_000),
      ...families,
    ];
    return { status: 200, body: { value } };
  };
}

/** https://learn.microsoft.com/rest/api/compute/resource-skus/list */
export function skus(kernel: Kernel): Handler {
  return ({ target, query }) => {
    const here = declared(kernel, target.subscriptionId)?.location ?? '';
    const [, wanted] = /^location eq '([^']+)'$/i.exec(query.get('$filter') ?? '') ?? [];
    const shown = wanted === undefined || wanted.toLowerCase() === here.toLowerCase() ? sizes : [];
    const value = shown.map((size) => ({
      resourceType: 'virtualMachines',
      name: size.name,
      tier: 'Standard',
      size: size.name.replace(/^Standard_/, ''),
      family: size.family,
      locations: [here],
      capabilities: [
        { name: 'vCPUs', value: String(size.cores) },
        { name: 'MemoryGB', value: String(size.memoryGiB) },
      ],
      restrictions: isRestricted(kernel, target.subscriptionId, size)
        ? [
            {
              type: 'Location',
              values: [here],
              restrictionInfo: { locations: [here] },
              reasonCode: 'NotAvailableForSubscription',
            },
          ]
        : [],
    }));
    return { status: 200, body: { value } };
  };
}
