import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CapacityFacts, quotasFor, shortfalls } from '../../../shared/policy/capacity.ts';

const facts: CapacityFacts = {
  region: 'westeurope',
  usages: [
    { name: 'cores', used: 90, limit: 100 },
    { name: 'virtualMachines', used: 3, limit: 25_000 },
    { name: 'standardDSv5Family', used: 6, limit: 10 },
    { name: 'standardESv5Family', used: 0, limit: 50 },
  ],
  sizes: [
    { name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2 },
    { name: 'Standard_E8s_v5', family: 'standardESv5Family', cores: 8 },
    { name: 'Standard_E64s_v5', family: 'standardESv5Family', cores: 64, restriction: 'NotAvailableForSubscription' },
  ],
};

test('machines that fit are short of nothing', () => {
  expect(shortfalls(['Standard_D2s_v5', 'standard_d2s_V5'], facts)).toEqual([]);
});

test('a family that is too small is named, with what is needed, what is free and what to ask for', () => {
  expect(shortfalls(new Array<string>(3).fill('Standard_D2s_v5'), facts)).toEqual([
    {
      kind: 'quota',
      message: 'Quota standardDSv5Family in westeurope: 6 cores are needed and 4 of 10 are free, 2 too few.',
      suggestion: 'Ask Azure to raise standardDSv5Family to 12, or choose sizes of another family.',
    },
  ]);
});

test('the cores of the region count as well, over all families', () => {
  const messages = shortfalls(['Standard_E8s_v5', 'Standard_D2s_v5', 'Standard_D2s_v5'], facts).map(
    (one) => one.message,
  );
  expect(messages).toEqual(['Quota cores in westeurope: 12 cores are needed and 10 of 100 are free, 2 too few.']);
});

test('a size that is not offered, or not to this subscription, is told apart from a quota', () => {
  expect(shortfalls(['Standard_M8', 'Standard_M8', 'Standard_E64s_v5'], facts)).toMatchObject([
    { kind: 'size', message: 'Standard_M8 is not offered in westeurope.' },
    { kind: 'size', message: 'Standard_E64s_v5 may not be used (NotAvailableForSubscription) in westeurope.' },
    { kind: 'quota', message: expect.stringContaining('Quota cores') },
    { kind: 'quota', message: expect.stringContaining('standardESv5Family') },
  ]);
});

test('a quota falls short exactly when what is needed exceeds what is free', () => {
  const size = fc.constantFrom('Standard_D2s_v5', 'Standard_E8s_v5');
  fc.assert(
    fc.property(fc.array(size, { maxLength: 12 }), (wanted) => {
      const short = quotasFor(wanted, facts).filter(({ used, limit, needed }) => used + needed > limit);
      expect(shortfalls(wanted, facts)).toHaveLength(short.length);
    }),
  );
});
