// Request units, by a model: what the service was recorded to charge for an item of 1 KB, and ten times as much for
// 100 KB, in a straight line (https://learn.microsoft.com/azure/cosmos-db/request-units#request-unit-considerations).
// Queries pay a start, and each item that they give. Indexing, consistency and the items that a filter passes over
// cost nothing here, so charges compare operations with each other and predict no bill.

const AT_1_KB = { read: 1, create: 6.67, upsert: 10.67, replace: 11.05, delete: 6.67 } as const;
const QUERY = 2.8;
const PER_RESULT = 0.05;
const FEED = 1;

const growth = (bytes: number) => 1 + (9 * Math.max(0, bytes / 1024 - 1)) / 99;
const rounded = (charge: number) => Math.round(charge * 100) / 100;

export function chargeOf(operation: keyof typeof AT_1_KB, bytes: number): number {
  return rounded(AT_1_KB[operation] * growth(bytes));
}

export function chargeOfQuery(count: number, bytes: number): number {
  return rounded(QUERY + PER_RESULT * count * growth(bytes / (count || 1)));
}

export function chargeOfFeed(items: string[]): number {
  const bytes = items.reduce((sum, { length }) => sum + length, 0);
  return rounded(FEED + PER_RESULT * items.length * growth(bytes / (items.length || 1)));
}
