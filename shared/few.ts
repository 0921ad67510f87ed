/** How many calls to a service are under way at once where many are needed: enough to be fast, too few to be throttled. */
const atOnce = 16;

/** Does the same for all items, a few at a time; the results are in the items' order. The first failure ends it. */
export async function few<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
