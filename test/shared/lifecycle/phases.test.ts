import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activePhases, finalPhases, mayMove, moves, needsPerson, Phase } from '../../../shared/lifecycle/phases.ts';

const phases = Object.values(Phase);

describe('the phases of a workload', () => {
  it('belong to exactly one of: active, final, waiting for a person, being rolled back', () => {
    for (const phase of phases) {
      const groups = [activePhases, finalPhases, needsPerson, new Set([Phase.rollingBack])];
      expect(groups.filter((group: ReadonlySet<string>) => group.has(phase))).toHaveLength(1);
    }
  });

  it('can all be reached from registered', () => {
    const reached = new Set<Phase>([Phase.registered]);
    for (let grown = true; grown; ) {
      const before = reached.size;
      for (const from of [...reached]) for (const to of phases) if (mayMove(from, to, undefined)) reached.add(to);
      grown = reached.size > before;
    }
    expect([...reached].sort()).toEqual([...phases].sort());
  });

  it('lead on until the end: only committed has no way out', () => {
    const stuck = phases.filter((from) => !phases.some((to) => to !== from && mayMove(from, to, Phase.testing)));
    expect(stuck).toEqual([Phase.committed]);
  });

  it('lead from attention back to where it was entered, or into a rollback, and nowhere else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...activePhases), fc.constantFrom(...phases), (remembered, to) => {
        const allowed = to === remembered || to === Phase.rollingBack;
        expect(mayMove(Phase.attention, to, remembered)).toBe(allowed);
      }),
    );
  });

  it('never go back to the source by themselves once services begin to stop', () => {
    const later = [Phase.stoppingServices, Phase.finalSync, Phase.sourceOff, Phase.launching, Phase.trafficMoved];
    for (const from of [...later, Phase.validating]) expect(moves[from]).not.toContain(Phase.replicating);
  });
});
