// COUNT, SUM, AVG, MIN and MAX. Undefined values do not count; any other value of a wrong type makes the whole answer
// undefined. https://learn.microsoft.com/cosmos-db/query/avg
import { compareForOrder, typeName, type Value } from './values.ts';

interface Accumulator {
  add(value: Value): void;
  result(): Value;
}

export const AGGREGATES = new Set(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX']);

export function accumulator(name: string): Accumulator {
  if (name === 'COUNT') return counting();
  return name === 'SUM' || name === 'AVG' ? summing(name === 'AVG') : extreme(name === 'MAX' ? 1 : -1);
}

function counting(): Accumulator {
  let count = 0;
  return {
    add: (value) => {
      if (value !== undefined) count++;
    },
    result: () => count,
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
