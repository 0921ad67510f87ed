import { describe, expect, it } from 'vitest';
import { checkAll, checkItems, checkLatest } from './checks.ts';

const stored = (id: string, v: number) => ({ id, v, waveId: 'a' });
const told = (operationType: string, id: string, v: number) => ({
  [operationType === 'delete' ? 'previous' : 'current']: stored(id, v),
  metadata: { operationType },
});

describe('the checks after a kill', () => {
  const writer = {
    name: 'a',
    acknowledged: new Map([['x', 1]]),
    attempted: new Map([
      ['x', 2],
      ['y', 1],
    ]),
  };

  it('take what was acknowledged, and what was under way if it is whole', () => {
    checkItems(writer, [stored('x', 1)]);
    checkItems(writer, [stored('x', 2), stored('y', 1)]);
  });

  it.each([
    ['a write that is lost', []],
    ['a write that was done twice', [stored('x', 3)]],
    ['a part of a batch', [stored('x', 2)]],
    ['an item that nobody wrote', [stored('x', 1), stored('z', 1)]],
  ])('see %s', (_, found) => {
    expect(() => checkItems(writer, found)).toThrow();
  });

  it('see that the feed of the latest versions stopped short', () => {
    checkLatest([stored('x', 1), stored('x', 2)], [stored('x', 2)]);
    expect(() => checkLatest([stored('x', 1)], [stored('x', 2)])).toThrow();
    expect(() => checkLatest([], [stored('x', 1)])).toThrow();
  });

  it('see that the feed of all versions left one out, told it twice or told of none', () => {
    const [one, two, gone] = [told('create', 'x', 1), told('replace', 'x', 2), told('delete', 'x', 2)];
    checkAll([one, two], [stored('x', 2)]);
    checkAll([one, two, gone], []);
    expect(() => checkAll([two], [stored('x', 2)])).toThrow();
    expect(() => checkAll([one, one, two], [stored('x', 2)])).toThrow();
    expect(() => checkAll([one, two], [])).toThrow();
    expect(() => checkAll([one, two, gone], [stored('x', 2)])).toThrow();
    expect(() => checkAll([], [stored('x', 1)])).toThrow();
  });
});
