import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, expire, expired } from '../../../shared/policy/gates.ts';
import type { Person } from '../../../shared/policy/people.ts';
import { GateDocument } from '../../../shared/store/documents.ts';

const at = '2026-12-01T10:00:00.000Z';
const person = (subject: string, change: Partial<Person> = {}): Person => ({
  subject,
  name: subject,
  roles: ['approver'],
  ...change,
});
function gate(change: Partial<GateDocument> = {}, policy: Partial<GateDocument['policy']> = {}): GateDocument {
  return GateDocument.parse({
    id: 'gate.g.uat.1',
    kind: 'gate',
    waveId: 'w1',
    groupId: 'g',
    name: 'uat',
    question: '?',
    requester: 'ada',
    status: 'open',
    openedAt: at,
    decisions: [],
    operationId: 'o:1',
    policy: { required: true, approvers: [], quorum: 1, onExpiry: 'hold', ...policy },
    ...change,
  });
}
const vote = (on: GateDocument, who: Person, decision: 'approve' | 'reject' = 'approve') =>
  decide(on, { decision, comment: '', at }, who);

describe('a gate', () => {
  it('opens with the first approval and records who gave it', () => {
    expect(vote(gate(), person('grace'))).toMatchObject({
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
          const outcome = vote(gate({ requester: name }), person(subject), decision);
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
          let current = gate({}, { quorum });
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
    const rejected = vote(gate({}, { quorum: 3 }), person('grace'), 'reject');
    expect(rejected).toMatchObject({ gate: { status: 'rejected' } });
    if ('gate' in rejected)
      expect(vote(rejected.gate, person('linus'))).toMatchObject({ refused: { code: 'conflict' } });
  });

  it('is decided by the people it names, by name or subject', () => {
    const named = gate({}, { approvers: ['Grace'] });
    expect(vote(named, person('linus'))).toMatchObject({ refused: { code: 'forbidden' } });
    expect(vote(named, person('1234', { name: 'grace' }))).toMatchObject({ gate: { status: 'approved' } });
    expect(vote(named, person('GRACE', { name: 'G. Hopper' }))).toMatchObject({ gate: { status: 'approved' } });
  });

  it('needs the role, also of those it names', () => {
    expect(vote(gate({}, { approvers: ['grace'] }), person('grace', { roles: ['operator'] }))).toMatchObject({
      refused: { code: 'forbidden' },
    });
  });

  it('takes no votes after its expiry', () => {
    expect(vote(gate({ expiresAt: at }), person('grace'))).toMatchObject({ refused: { code: 'conflict' } });
  });

  it.each([
    ['hold', 'expired', 0],
    ['approve', 'approved', 1],
    ['reject', 'rejected', 1],
  ] as const)('that expires with %s becomes %s', (onExpiry, status, decisions) => {
    const late = expire(gate({ expiresAt: at }, { onExpiry }), at);
    expect(late.status).toBe(status);
    expect(late.decisions).toHaveLength(decisions);
  });

  it('does not expire before its time, or without one, or once it is decided', () => {
    expect(expired(gate({ expiresAt: '2026-12-01T10:00:00.001Z' }), at)).toBe(false);
    expect(expired(gate(), at)).toBe(false);
    expect(expired(gate({ status: 'approved', expiresAt: at }), at)).toBe(false);
  });
});
