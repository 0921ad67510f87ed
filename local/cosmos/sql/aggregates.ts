// COUNT, SUM, AVG, MIN, MAX, and the newer COUNTIF, MAKELIST and MAKESET. Undefined values do not count; any other value of a wrong type makes the whole answer
// undefined. https://learn.microsoft.com/cosmos-db/query/avg
import { canonical, compareForOrder, typeName, type Value } from './values.ts';

interface Accumulator {
  add(value: Value): void;
  result(): Value;
}

export const AGGREGATES = new Set(['COUNT', 'COUNTIF', 'SUM', 'AVG', 'MIN', 'MAX', 'MAKELIST', 'MAKESET']);

export function accumulator(name: string): Accumulator {
  if (name === 'COUNT') return counting((value) => value !== undefined);
  if (name === 'COUNTIF') return counting((value) => value === true);
  if (name === 'MAKELIST' || name === 'MAKESET') return listing(name === 'MAKESET');
  return name === 'SUM' || name === 'AVG' ? summing(name === 'AVG') : extreme(name === 'MAX' ? 1 : -1);
}

function counting(counts: (value: Value) => boolean): Accumulator {
  let count = 0;
  return {
    add: (value) => {
      if (counts(value)) count++;
    },
    result: () => count,
  };
}

/** All values, or each once. */
function listing(isSet: boolean): Accumulator {
  const found = new Map<unknown, Value>();
  return {
    add: (value) => {
      if (value !== undefined) found.set(isSet ? canonical(value) : found.size, value);
    },
    result: () => [...found.values()],
  };
}

function summing(isAverage: boolean): Accumulator {
  let sum = 0;
  let count = 0;
  let isBroken = false;
  return {
    add: (value) => {
      if (value === undefined) return;
      if (typeof value !== 'number') isBroken = true;
      else {
        sum += value;
        count++;
      }
    },
    result: () => {
      if (isBroken) return undefined;
      if (!isAverage) return sum;
      return count === 0 ? undefined : sum / count;
    },
  };
}

function extreme(direction: 1 | -1): Accumulator {
  let best: Value;
  let isBroken = false;
  return {
    add: (value) => {
      if (value === undefined) return;
      if (typeName(value) === 'array' || typeName(value) === 'object') isBroken = true;
      else if (best === undefined || compareForOrder(value, best) * direction > 0) best = value;
    },
    result: () => (isBroken ? undefined : best),
  };
}
