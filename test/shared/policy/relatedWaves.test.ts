import { expect, it } from 'vitest';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { relatedWaves } from '../../../shared/policy/relatedWaves.ts';
import { wavePosted } from '../../fakes/definitions.ts';

const stored = (waveId: string, ...needs: string[]) => ({
  waveId,
  groups: [{ needs: [] }, { needs: needs.map((each) => ({ waveId: each })) }],
});
const waiting = (wave: unknown[], group: unknown[] = []) => {
  const posted = wavePosted();
  return WaveDefinition.parse({
    ...posted,
    dependsOn: wave,
    groups: posted.groups.map((each, g) => (g === 0 ? { ...each, dependsOn: group } : each)),
  });
};
const related = (...of: Parameters<typeof relatedWaves>) => [...relatedWaves(...of)].toSorted();

it('a wave is related to those that it names, as a wave or as a group of one', () => {
  expect(related(waiting(['w2'], [{ wave: 'w3', group: 'g' }, { group: 'own' }]), [])).toEqual(['w2', 'w3']);
});

it('to those that wait for it, and to those that are between them and others', () => {
  const all = [
    stored('w2', 'w3'),
    stored('w3'),
    stored('w4', 'w1'),
    stored('w5', 'w4'),
    stored('w6', 'w7'),
    stored('w7'),
  ];
  expect(related(waiting(['w2']), all)).toEqual(['w2', 'w3', 'w4', 'w5']);
  expect(related(waiting([]), all)).toEqual(['w4', 'w5']);
});
