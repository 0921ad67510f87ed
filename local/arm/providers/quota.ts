// Cores by machine size, and the quota that machines count against, running or not.
// https://learn.microsoft.com/azure/virtual-machines/quotas
import type { Handler, Kernel } from '../contract.ts';
import { badRequest, conflict } from '../http/errors.ts';
import { keyOf, sameId } from '../ids.ts';
import { part, text } from '../json.ts';

export const machineType = 'Microsoft.Compute/virtualMachines';

/** The number in a size's name: Standard_D4s_v5 has 4 vCPUs; with constrained cores (Standard_E8-4s_v5) the second. */
function coresOf(size: string): number {
  const [, cores, constrained] = /^(?:Standard|Basic)_[A-Z]+(\d+)(?:-(\d+))?/.exec(size) ?? [];
  if (!cores) throw badRequest('InvalidParameter', `The value ${size} provided for the VM size is not valid.`);
  return Number(constrained ?? cores);
}

const limitsOf = (kernel: Kernel, subscriptionId: string): Readonly<Record<string, number>> =>
  kernel.subscriptions.find((one) => keyOf(one.subscriptionId) === keyOf(subscriptionId))?.quota ?? {};

function used(
  kernel: Kernel,
  subscriptionId: string,
  location: string,
  except = '',
): { cores: number; machines: number } {
  const machines = kernel.store
    .within(`/subscriptions/${subscriptionId}`, machineType)
    .filter(({ id, body }) => body.location === location && !sameId(id, except));
  const sizes = machines.map(({ body }) => text(part(part(body, 'properties'), 'hardwareProfile'), 'vmSize') ?? '');
  return { cores: sizes.reduce((sum, size) => sum + coresOf(size), 0), machines: machines.length };
}

/** Refuses a machine that would exceed the subscription's cores. */
export function checkQuota(
  kernel: Kernel,
  subscriptionId: string,
  location: string,
  machineId: string,
  size: string,
): void {
  const limit = limitsOf(kernel, subscriptionId).cores;
  const { cores } = used(kernel, subscriptionId, location, machineId);
  const required = coresOf(size);
  if (limit === undefined || cores + required <= limit) return;
  throw conflict(
    'OperationNotAllowed',
    'Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - ' +
      `Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limit}, Current Usage: ${cores}, ` +
      `Additional Required: ${required}, (Minimum) New Limit Required: ${cores + required}.`,
  );
}

export function usages(kernel: Kernel): Handler {
  return ({ target }) => {
    const location = (target.names[0] ?? '').toLowerCase();
    const limits = limitsOf(kernel, target.subscriptionId);
    const { cores, machines } = used(kernel, target.subscriptionId, location);
    const usage = (value: string, localizedValue: string, currentValue: number, fallback: number): unknown => ({
      name: { value, localizedValue },
      unit: 'Count',
      currentValue,
      limit: limits[value] ?? fallback,
    });
    const value = [
      usage('cores', 'Total Regional vCPUs', cores, Number.MAX_SAFE_INTEGER),
      usage('virtualMachines', 'Virtual Machines', machines, 25_000),
    ];
    return { status: 200, body: { value } };
  };
}
