// ORDER BY: the sort keys' order, then the items' own (reversed as soon as one key descends, which is what the client
// assumes when it resumes a merge), then the order of what one item joins to. A place in it outlives its page.
import type { Evaluate, Row } from './compile.ts';
import { compareForOrder, type Value } from './values.ts';

interface CompiledKey {
  evaluate: Evaluate;
  direction: 1 | -1;
}

export interface Place {
  keys: Value[];
  /** The item's number. */
  item: number;
  /** Which of the item's rows. */
  row: number;
}

export function comparePlaces(keys: CompiledKey[]): (left: Place, right: Place) => number {
  const itemDirection = keys.some(({ direction }) => direction === -1) ? -1 : 1;
  return (left, right) => {
    for (const [at, { direction }] of keys.entries()) {
      const order = compareForOrder(left.keys[at], right.keys[at]) * direction;
      if (order !== 0) return order;
    }
    return (left.item - right.item) * itemDirection || left.row - right.row;
  };
}

/** Rows of a subquery or of groups, which have no item to go by. */
export function sortRows(rows: Iterable<Row>, keys: CompiledKey[]): Row[] {
  const placed = Array.from(rows, (row, at) => {
    return { full: [...row], keys: keys.map(({ evaluate }) => evaluate(row)), item: 0, row: at };
  });
  return placed.sort(comparePlaces(keys)).map(({ full }) => full);
}
