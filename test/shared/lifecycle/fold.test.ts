import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { apply, fold } from '../../../shared/lifecycle/fold.ts';
import { Phase } from '../../../shared/lifecycle/phases.ts';
import type { WorkloadState } from '../../../shared/lifecycle/state.ts';

const time = '2026-12-05T21:00:00.000Z';
const platform = { time, source: 'platform' };
const root = 'a'.repeat(64);
let serial = 0;
const id = () => `e${serial++}`;

const registered = (): WorkloadEvent => ({
  ...platform,
  id: id(),
  type: 'landfall.workload.registered',
  data: { groupId: 'g', planHash: 'h' },
});
const enter = (phase: Phase): WorkloadEvent => ({
  ...platform,
  id: id(),
  type: 'landfall.workload.phaseEntered',
  data: { phase, reason: 'test' },
});
const sync = { syncId: 's1', kind: 'initial' as const };
const queued = (syncId = 's1'): WorkloadEvent => ({
  ...platform,
  id: id(),
  type: 'landfall.sync.queued',
  data: { syncId, kind: 'initial', syncOperationId: `i:${syncId}`, applianceId: 'agent-a' },
});
const dispatched = (attempt = 1): WorkloadEvent => ({
  ...platform,
  id: id(),
  type: 'landfall.sync.dispatched',
  data: { ...sync, attempt, reason: 'test' },
});
const completed = (syncId = 's1', sequence = 1): WorkloadEvent => ({
  id: id(),
  time,
  source: 'agent-a',
  sequence,
  type: 'landfall.sync.completed',
  data: {
    ...sync,
    syncId,
    startedAt: time,
    root,
    disks: [{ diskId: 'os', sizeBytes: 4096, readBytes: 4096, changedBytes: 512, root, snapshot: 'x' }],
    verified: { mode: 'written', bytes: 512 },
    consistency: 'crash',
    resumed: false,
  },
});
const progress = (sequence: number): WorkloadEvent => ({
  id: id(),
  time,
  source: 'agent-a',
  sequence,
  type: 'landfall.sync.progress',
  data: { ...sync, doneBytes: 1, totalBytes: 2, writtenBytes: 1, bytesPerSecond: 1 },
});

function stateAfter(...events: WorkloadEvent[]): WorkloadState {
  const state = fold([registered(), ...events]);
  if (state === undefined) throw new Error('nothing was folded');
  return state;
}

const anyEvent: fc.Arbitrary<WorkloadEvent> = fc.oneof(
  fc.constantFrom(...Object.values(Phase)).map(enter),
  fc.constantFrom('s1', 's2').map(queued),
  fc.integer({ min: 1, max: 3 }).map(dispatched),
  fc.tuple(fc.constantFrom('s1', 's2'), fc.nat(20)).map(([syncId, sequence]) => completed(syncId, sequence)),
  fc.nat(20).map(progress),
  fc.constant(0).map(registered),
);

describe('folding a workload’s events', () => {
  it('takes any event in any state, and the state is the fold of what was applied', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const log: WorkloadEvent[] = [registered()];
        let state = fold(log);
        for (const event of events) {
          const applied = apply(state, event);
          if ('illegal' in applied) continue;
          expect(applied.state.version).toBe((state?.version ?? 0) + 1);
          state = applied.state;
          log.push(event);
        }
        expect(fold(log)).toEqual(state);
      }),
    );
  });

  it('keeps one sync in flight at most, whatever is asked for', () => {
    expect(apply(stateAfter(queued('s1')), queued('s2'))).toEqual({
      illegal: 'sync s1 is in flight: one sync per workload at a time',
    });
    expect(stateAfter(queued('s1'), dispatched(), completed('s1'), queued('s2')).sync).toMatchObject({ syncId: 's2' });
  });

  it('turns a completed sync into a point and counts its bytes by kind', () => {
    const state = stateAfter(queued(), dispatched(), completed());
    expect(state.sync.status).toBe('idle');
    expect(state.points).toMatchObject([{ syncId: 's1', kind: 'initial', root }]);
    expect(state.totals.initialBytes).toBe(512);
  });

  it('changes nothing but what was heard when a report comes late or about another sync', () => {
    const done = stateAfter(queued(), dispatched(), completed('s1', 5));
    for (const late of [progress(3), completed('s1', 4), completed('other', 6)]) {
      const applied = apply(done, late);
      if ('illegal' in applied) throw new Error(applied.illegal);
      const { version: _v, heard: _h, updatedAt: _u, ...now } = applied.state;
      const { version: _v2, heard: _h2, updatedAt: _u2, ...before } = done;
      expect(now).toEqual(before);
    }
  });

  it('counts the numbers that are missing in a sender’s sequence, and forgets a gap that is filled late', () => {
    const gap = stateAfter(queued(), dispatched(), progress(1), progress(4));
    expect(gap.heard['agent-a']).toEqual({ sequence: 4, missing: 2 });
    const filled = apply(gap, progress(2));
    expect('state' in filled && filled.state.heard['agent-a']).toEqual({ sequence: 4, missing: 1 });
  });

  it('remembers where attention was entered and leads back there when it is answered', () => {
    const failure = { code: 'checkFailed', kind: 'terminal', message: 'm', suggestion: 's' } as const;
    const asked = stateAfter(enter('preparing'), enter('replicating'), enter('testing'), {
      ...platform,
      id: id(),
      type: 'landfall.workload.attentionRaised',
      data: { attentionId: 'q', step: 'uat', failure, choices: ['retry', 'rollback'] },
    });
    expect(asked).toMatchObject({ phase: 'attention', remembered: 'testing', attention: { attentionId: 'q' } });
    const answered = apply(asked, {
      ...platform,
      id: id(),
      type: 'landfall.workload.attentionAnswered',
      data: { attentionId: 'q', choice: 'retry', reason: 'mended' },
    });
    expect(answered).toMatchObject({ state: { phase: 'testing', remembered: undefined, attention: undefined } });
  });
});

describe('the isolation of clones', () => {
  const judged = (of: string, when: 'beforeBoot' | 'booted' | 'tested', isolated = true): WorkloadEvent => ({
    ...platform,
    id: id(),
    type: 'landfall.isolation.judged',
    data: { of, when, isolated, reasons: isolated ? [] : ['a hole'], rules: [], probes: [] },
  });
  const noted: WorkloadEvent = {
    ...platform,
    id: id(),
    type: 'landfall.isolation.noted',
    data: { names: [{ name: 'name db', seen: 'answers', answers: ['10.0.0.4'], detail: '' }] },
  };
  const proofAfter = (...events: WorkloadEvent[]) => fold([registered(), noted, ...events])?.isolation;

  it('is as it was looked at last, beside where names led before', () => {
    expect(proofAfter(judged('a', 'beforeBoot'), judged('a', 'booted'))).toMatchObject({
      noted: [{ name: 'name db' }],
      proof: { of: 'a', when: 'booted', isolated: true, at: time },
    });
    expect(proofAfter(judged('a', 'beforeBoot'), judged('a', 'booted'), judged('a', 'tested', false))).toMatchObject({
      proof: { when: 'tested', isolated: false },
    });
  });

  it('is not proven by a late look at clones of an earlier try', () => {
    const again = [judged('a', 'beforeBoot'), judged('b', 'beforeBoot'), judged('a', 'booted')];
    expect(proofAfter(...again)).toMatchObject({ proof: { of: 'b', when: 'beforeBoot' } });
    expect(proofAfter(judged('a', 'booted'))?.proof).toBeUndefined();
  });
});
