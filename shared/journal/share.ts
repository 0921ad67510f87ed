// A group's step has one result for many workloads. Each workload gets its own part as evidence, the wave's journal the
// summary: copied whole into a hundred workloads, a long result would pass what Cosmos DB stores in one document.

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const whose = (item: unknown): string | undefined =>
  isObject(item) && typeof item['workloadId'] === 'string' ? item['workloadId'] : undefined;

/** What of a result is about one workload: of every list, the items that name it, and those that name nobody. */
export function shareOf(result: unknown, workloadId: string): unknown {
  if (Array.isArray(result))
    return result.filter((item) => (whose(item) ?? workloadId) === workloadId).map((item) => shareOf(item, workloadId));
  if (!isObject(result)) return result;
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, shareOf(value, workloadId)]));
}

/** What is left of a result without what each workload has: of every list, how many items name one. */
export function summaryOf(result: unknown): unknown {
  if (Array.isArray(result)) {
    const owned = result.flatMap((item) => whose(item) ?? []);
    if (owned.length === 0) return result.map(summaryOf);
    return { items: result.length, workloads: new Set(owned).size };
  }
  if (!isObject(result)) return result;
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, summaryOf(value)]));
}
