import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gates, gatePolicy } from '../../../shared/model/gate.ts';
import { comment, decide, delegate, expire, expired } from '../../../shared/policy/gates.ts';
import type { Person } from '../../../shared/policy/people.ts';
import type { GateDocument } from '../../../shared/store/documents.ts';
import { gateOf } from '../../fakes/gates.ts';

const at = '2026-12-01T10:00:00.000Z';
const person = (subject: string, change: Partial<Person> = {}): Person => ({
  subject,
  name: subject,
  roles: ['approver'],
  ...change,
});
const vote = (on: GateDocument, who: Person, decision: 'approve' | 'reject' = 'approve') =>
  decide(on, { decision, comment: '', at }, who);

describe('a gate', () => {
  it('opens with the first approval and records who gave it', () => {
    expect(vote(gateOf(), person('grace'))).toMatchObject({
      gate: { status: 'approved', decisions: [{ by: 'grace', decision: 'approve' }] },
    });
  });

  it('never lets the requester decide, however the subject is spelt', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.boolean(),
        fc.constantFrom('approve' as const, 'reject' as const),
        (name, upper, decision) => {
          const subject = upper ? name.toUpperCase() : name.toLowerCase();
          const outcome = vote(gateOf({ requester: name }), person(subject), decision);
          fc.pre(subject.toLowerCase() === name.toLowerCase());
          expect(outcome).toMatchObject({ refused: { code: 'forbidden' } });
        },
      ),
    );
  });

  it('stays open until its quorum of different people is reached', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('p1', 'p2', 'p3', 'p4', 'P1', 'ada'), { maxLength: 12 }),
        (quorum, voters) => {
          let current = gateOf({}, { quorum });
          for (const voter of voters) {
            const outcome = vote(current, person(voter));
            if ('gate' in outcome) current = outcome.gate;
          }
          const different = new Set(voters.map((voter) => voter.toLowerCase()).filter((voter) => voter !== 'ada')).size;
          expect(current.decisions).toHaveLength(Math.min(quorum, different));
          expect(current.status).toBe(different >= quorum ? 'approved' : 'open');
        },
      ),
    );
  });

  it('closes with a single rejection, and then takes no more votes', () => {
    const rejected = vote(gateOf({}, { quorum: 3 }), person('grace'), 'reject');
    expect(rejected).toMatchObject({ gate: { status: 'rejected' } });
    if ('gate' in rejected)
      expect(vote(rejected.gate, person('linus'))).toMatchObject({ refused: { code: 'conflict' } });
  });

  it('is decided by the people it names, by name or subject', () => {
    const named = gateOf({}, { approvers: ['Grace'] });
    expect(vote(named, person('linus'))).toMatchObject({ refused: { code: 'forbidden' } });
    expect(vote(named, person('1234', { name: 'grace' }))).toMatchObject({ gate: { status: 'approved' } });
    expect(vote(named, person('GRACE', { name: 'G. Hopper' }))).toMatchObject({ gate: { status: 'approved' } });
  });

  it('needs the role, also of those it names', () => {
    expect(vote(gateOf({}, { approvers: ['grace'] }), person('grace', { roles: ['operator'] }))).toMatchObject({
      refused: { code: 'forbidden' },
    });
  });

  it('takes no votes after its expiry', () => {
    expect(vote(gateOf({ expiresAt: at }), person('grace'))).toMatchObject({ refused: { code: 'conflict' } });
  });

  it.each([
    ['hold', 'expired', 0],
    ['approve', 'approved', 1],
    ['reject', 'rejected', 1],
  ] as const)('that expires with %s becomes %s', (onExpiry, status, decisions) => {
    const late = expire(gateOf({ expiresAt: at }, { onExpiry }), at);
    expect(late.status).toBe(status);
    expect(late.decisions).toHaveLength(decisions);
  });

  it('does not expire before its time, or without one, or once it is decided', () => {
    expect(expired(gateOf({ expiresAt: '2026-12-01T10:00:00.001Z' }), at)).toBe(false);
    expect(expired(gateOf(), at)).toBe(false);
    expect(expired(gateOf({ status: 'approved', expiresAt: at }), at)).toBe(false);
  });
});

describe('people', () => {
  it('may be named by a group of the directory', () => {
    const byGroup = gateOf({}, { groups: ['DBA'] });
    expect(vote(byGroup, person('linus', { groups: ['ops'] }))).toMatchObject({
      refused: { code: 'forbidden', message: 'This gate is decided by the group DBA.' },
    });
    expect(vote(byGroup, person('linus', { groups: ['dba'] }))).toMatchObject({ gate: { status: 'approved' } });
  });

  it('need one of the roles that the gate names', () => {
    const byOperators = gateOf({}, { roles: ['operator'] });
    expect(vote(byOperators, person('linus'))).toMatchObject({ refused: { code: 'forbidden' } });
    expect(vote(byOperators, person('linus', { roles: ['operator'] }))).toMatchObject({ gate: { status: 'approved' } });
  });

  it('may say something without deciding', () => {
    const said = comment(gateOf(), { text: 'the report is late', at }, person('alan', { roles: ['reader'] }));
    expect(said).toMatchObject({ gate: { status: 'open', comments: [{ by: 'alan', text: 'the report is late' }] } });
  });
});

describe('a vote that is handed over', () => {
  const named = gateOf({}, { approvers: ['grace'] });
  const hand = (to: string, on = named, from = person('grace')) => delegate(on, { to, reason: 'on leave', at }, from);
  const handed = () => {
    const outcome = hand('linus');
    if ('refused' in outcome) throw new Error(outcome.refused.message);
    return outcome.gate;
  };

  it('is cast by the other, in the name of who handed it over', () => {
    expect(vote(handed(), person('linus'))).toMatchObject({
      gate: { status: 'approved', decisions: [{ by: 'linus', onBehalfOf: 'grace' }] },
    });
  });

  it('is cast once: by either of the two', () => {
    const two = { ...handed(), policy: { ...handed().policy, quorum: 2 } };
    const byLinus = vote(two, person('linus'));
    if ('refused' in byLinus) throw new Error('refused');
    expect(vote(byLinus.gate, person('grace'))).toMatchObject({ refused: { code: 'conflict' } });
    const byGrace = vote(two, person('grace'));
    if ('refused' in byGrace) throw new Error('refused');
    expect(vote(byGrace.gate, person('linus'))).toMatchObject({ refused: { code: 'forbidden' } });
  });

  it('is cast once as well where it was handed to two: one vote never makes a quorum of two', () => {
    const both = hand('joan', { ...handed(), policy: { ...handed().policy, quorum: 2 } });
    if ('refused' in both) throw new Error(both.refused.message);
    const byLinus = vote(both.gate, person('linus'));
    if ('refused' in byLinus) throw new Error(byLinus.refused.message);
    expect(vote(byLinus.gate, person('joan'))).toMatchObject({ refused: { code: 'forbidden' } });
  });

  it('is handed over a limited number of times', () => {
    const one = handed();
    const full = { ...one, delegations: Array.from({ length: 200 }, () => one.delegations[0] as never) };
    expect(hand('joan', full)).toMatchObject({ refused: { code: 'conflict' } });
  });

  it.each([
    ['the requester', 'ada', 'forbidden'],
    ['oneself', 'grace', 'invalidInput'],
  ])('is not handed to %s', (_, to, code) => {
    expect(hand(to)).toMatchObject({ refused: { code } });
  });

  it('is not handed on, nor handed over where the gate forbids it or names nobody', () => {
    expect(hand('joan', handed(), person('linus'))).toMatchObject({ refused: { code: 'forbidden' } });
    expect(hand('linus', gateOf({}, { approvers: ['grace'], delegation: false }))).toMatchObject({
      refused: { code: 'forbidden' },
    });
    expect(hand('linus', gateOf())).toMatchObject({ refused: { code: 'conflict' } });
  });

  it('needs a person with the role', () => {
    expect(vote(handed(), person('linus', { roles: ['reader'] }))).toMatchObject({ refused: { code: 'forbidden' } });
  });
});

describe('a gate that takes partial approvals', () => {
  const ids = ['a', 'b', 'c'];
  const partial = (policy = {}) => gateOf({ workloadIds: ids }, { partial: true, ...policy });
  const on = (gate: GateDocument, who: string, decision: 'approve' | 'reject', workloads?: string[]) => {
    const outcome = decide(gate, { decision, comment: '', at, workloads }, person(who));
    if ('refused' in outcome) throw new Error(outcome.refused.message);
    return outcome.gate;
  };

  it('stays open until each workload is decided, and says which are approved', () => {
    const first = on(partial(), 'grace', 'approve', ['a', 'c']);
    expect(first).toMatchObject({ status: 'open' });
    expect(on(first, 'linus', 'reject', ['b'])).toMatchObject({ status: 'approved', approved: ['a', 'c'] });
    expect(on(first, 'linus', 'approve')).toMatchObject({ status: 'approved', approved: ids });
    expect(on(first, 'linus', 'reject')).toMatchObject({ status: 'approved', approved: ['a', 'c'] });
    expect(on(partial(), 'grace', 'reject')).toMatchObject({ status: 'rejected', approved: [] });
  });

  it('names the workload that it does not ask about, or that is decided already', () => {
    const refusal = (gate: GateDocument, workloads: string[]) =>
      decide(gate, { decision: 'approve', comment: '', at, workloads }, person('linus'));
    expect(refusal(partial(), ['aa'])).toMatchObject({
      refused: { code: 'invalidInput', message: 'This gate does not ask about "aa".', suggestion: 'Did you mean "a"?' },
    });
    expect(refusal(on(partial(), 'grace', 'approve', ['a']), ['a'])).toMatchObject({ refused: { code: 'conflict' } });
    expect(refusal(gateOf({ workloadIds: ids }), ['a'])).toMatchObject({ refused: { code: 'conflict' } });
  });

  it.each([
    ['hold', 'approved', ['a']],
    ['approve', 'approved', ['a', 'b', 'c']],
    ['reject', 'approved', ['a']],
  ] as const)('keeps at its expiry with %s what people have decided', (onExpiry, status, approved) => {
    const some = on({ ...partial({ onExpiry }), expiresAt: '2026-12-01T11:00:00.000Z' }, 'grace', 'approve', ['a']);
    expect(expire(some, '2026-12-01T11:00:00.000Z')).toMatchObject({ status, approved });
  });

  it('approves a workload if and only if its quorum approved it and nobody rejected it', () => {
    const decision = fc.record({
      who: fc.constantFrom('p1', 'p2', 'p3', 'p4'),
      decision: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
      workloads: fc.option(fc.subarray(ids, { minLength: 1 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(decision, { maxLength: 16 }), (quorum, said) => {
        let gate = partial({ quorum });
        for (const { who, ...each } of said) {
          const outcome = decide(gate, { comment: '', at, ...each }, person(who));
          if ('gate' in outcome) gate = outcome.gate;
        }
        if (gate.status === 'open') return;
        for (const id of ids) {
          const about = gate.decisions.filter(({ workloads }) => workloads === undefined || workloads.includes(id));
          const rejected = about.some((each) => each.decision === 'reject');
          const voters = new Set(about.filter((each) => each.decision === 'approve').map(({ by }) => by));
          expect(gate.approved?.includes(id)).toBe(!rejected && voters.size >= quorum);
        }
        expect(gate.status).toBe(gate.approved?.length === 0 ? 'rejected' : 'approved');
      }),
    );
  });
});

describe('the gates for what people do by hand', () => {
  it('are decided by operators and approvers, and never do without them', () => {
    const { byHand } = Gates.parse({});
    expect(byHand).toMatchObject({ required: true, roles: ['operator', 'approver'], onExpiry: 'hold' });
    expect(gatePolicy(Gates.parse({}), 'byHand:powerOff')).toEqual(byHand);
    for (const policy of [{ required: false }, { onExpiry: 'approve' as const }, { partial: true }])
      expect(Gates.safeParse({ byHand: policy }).success).toBe(false);
  });
});
