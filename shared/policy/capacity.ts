// Does the region have room for machines that are still to be made? Offered sizes, the cores of each family, the cores and
// machines of the region; what is missing is named to the core.

/** What a subscription may use in a region, and what it uses; only of what was asked for. */
export interface CapacityFacts {
  region: string;
  /** Limits by the names of Azure's usages: `cores`, `virtualMachines`, and one for each family of machines. */
  usages: readonly { name: string; used: number; limit: number }[];
  sizes: readonly OfferedSize[];
}

export interface OfferedSize {
  name: string;
  family: string;
  cores: number;
  /** Why the subscription may not use it there, in Azure's words. */
  restriction?: string | undefined;
}

/** Known, or why it is not: asking takes rights that an organisation may not give. */
export type Capacity = { known: true; facts: CapacityFacts } | { known: false; reason: string };

export interface Shortfall {
  /** `size`: no request for more can help, another size can. */
  kind: 'size' | 'quota';
  message: string;
  suggestion: string;
}

/** What keeps the machines of these sizes from being made, one entry for each size and each quota. */
export function shortfalls(wanted: readonly string[], { region, usages, sizes }: CapacityFacts): Shortfall[] {
  const offered = new Map(sizes.map((size) => [size.name.toLowerCase(), size]));
  const unusable = [...new Set(wanted)].flatMap((name): Shortfall[] => {
    const size = offered.get(name.toLowerCase());
    if (size !== undefined && size.restriction === undefined) return [];
    const why = size === undefined ? 'is not offered' : `may not be used (${size.restriction})`;
    const suggestion = 'Choose another vmSize for the workload, or ask Azure for access to this one.';
    return [{ kind: 'size', message: `${name} ${why} in ${region}.`, suggestion }];
  });
  const scarce = quotasFor(wanted, { region, usages, sizes }).flatMap(({ name, used, limit, needed }): Shortfall[] => {
    const missing = used + needed - limit;
    if (missing <= 0) return [];
    const unit = name === 'virtualMachines' ? 'machines' : 'cores';
    const free = Math.max(0, limit - used);
    const message = `Quota ${name} in ${region}: ${needed} ${unit} are needed and ${free} of ${limit} are free, ${missing} too few.`;
    const suggestion = `Ask Azure to raise ${name} to ${limit + missing}, or choose sizes of another family.`;
    return [{ kind: 'quota', message, suggestion }];
  });
  return [...unusable, ...scarce];
}

/** The quotas that machines of these sizes count against, with what they need of each. */
export function quotasFor(
  wanted: readonly string[],
  { usages, sizes }: CapacityFacts,
): { name: string; used: number; limit: number; needed: number }[] {
  const offered = new Map(sizes.map((size) => [size.name.toLowerCase(), size]));
  const needs = new Map<string, number>([['virtualmachines', 0]]);
  const need = (usage: string, more: number) =>
    needs.set(usage.toLowerCase(), (needs.get(usage.toLowerCase()) ?? 0) + more);
  for (const { family, cores } of wanted.flatMap((name) => offered.get(name.toLowerCase()) ?? [])) {
    need(family, cores);
    need('cores', cores);
    need('virtualMachines', 1);
  }
  return usages.flatMap((usage) => {
    const needed = needs.get(usage.name.toLowerCase()) ?? 0;
    return needed === 0 ? [] : [{ ...usage, needed }];
  });
}
