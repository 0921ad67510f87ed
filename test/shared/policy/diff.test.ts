import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyChanges, diff } from '../../../shared/policy/diff.ts';
import { waveDefinition } from '../../fakes/definitions.ts';

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'order', '7', 'x y', 'q"[].');
const name = fc.oneof(ids, fc.string(), fc.constantFrom('tags', 'id', '__proto__', 'groups'));
/** Any JSON with lists whose elements have ids, repeated ones and none included. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(null, true, 1, 2, 'a', 'b', ''),
    fc.dictionary(name, tie('json'), { maxKeys: 4 }),
    fc.array(
      fc.tuple(ids, fc.dictionary(name, tie('json'), { maxKeys: 2 })).map(([id, rest]) => ({ ...rest, id })),
      { maxLength: 4 },
    ),
    fc.array(tie('json'), { maxLength: 3 }),
  ),
}));
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

it('the changes, applied to the old version, give the new one', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const [old, next] = [plain(before), plain(after)];
      expect(plain(applyChanges(old, diff(old, next)))).toEqual(next);
    }),
    { numRuns: 2000 },
  );
});

it('nothing has changed between equal versions, and everything that is told has', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const [old, next] = [plain(before), plain(after)];
      expect(diff(old, plain(old))).toEqual([]);
      for (const change of diff(old, next)) expect(plain({ v: change.before })).not.toEqual(plain({ v: change.after }));
    }),
  );
});

it('paths name groups and workloads by their ids, and a change of order is one', () => {
  const before = waveDefinition();
  const after = waveDefinition();
  after.groups[1]!.workloads[1]!.target.name = 'web-02';
  after.groups[1]!.workloads.reverse();
  after.groups[1]!.settings = { sync: { cadence: 'PT5M' } };
  after.window.duration = 'PT6H';
  const [removed] = after.groups.splice(0, 1);
  after.groups.push({ ...removed!, id: 'new' });
  expect(diff(before, after)).toEqual([
    { path: 'window.duration', before: 'PT4H', after: 'PT6H' },
    { path: 'groups[data]', before: before.groups[0] },
    { path: 'groups[shop].workloads[web].target.name', before: 'web-01', after: 'web-02' },
    { path: 'groups[shop].workloads (order)', before: ['app', 'web'], after: ['web', 'app'] },
    { path: 'groups[shop].settings', after: { sync: { cadence: 'PT5M' } } },
    { path: 'groups[new]', after: after.groups[1] },
  ]);
});
