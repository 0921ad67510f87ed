// By which index a query reads the items that may be its own.
import type { EpkRange } from '../partition/key.ts';
import type { Container } from '../store/catalog.ts';
import type { Indexes } from '../store/indexes.ts';
import { type Condition, isOneKey } from '../store/items.ts';

interface AccessPath {
  /** Undefined: one that needs no comparison. */
  index: string | undefined;
  /** The columns of the index that would serve best, if there is none yet. */
  wanted: string[] | undefined;
}

export function accessPath(
  indexes: Indexes,
  container: Container,
  conditions: Condition[],
  range: EpkRange | undefined,
): AccessPath {
  const columns = indexColumns(conditions, range);
  if (columns.length === 0) return { index: undefined, wanted: undefined };
  if (columns[0] === 'id' && isOneKey(range)) return { index: 'itemsByKey', wanted: undefined };
  const index = indexes.find(container, columns);
  return { index, wanted: index ? undefined : columns };
}

/** Equalities first, then the partition key if it is fixed, then one range; none where nothing is compared. */
function indexColumns(conditions: Condition[], range: EpkRange | undefined): string[] {
  const compared = (isEquality: boolean) => {
    const columns = conditions.flatMap((each) => (each.isEquality === isEquality && each.column ? [each.column] : []));
    return [...new Set(columns)].sort();
  };
  const equal = compared(true);
  if (equal.includes('id') && isOneKey(range)) return ['id'];
  const [first] = compared(false).filter((column) => !equal.includes(column));
  if (equal.length === 0 && first === undefined) return [];
  if (isOneKey(range)) return [...equal, 'epk', ...(first === undefined ? [] : [first])];
  return [...equal, first ?? 'epk'];
}
