// Who may decide at a gate, and what becomes of a gate that nobody decides.
import type { GateDocument } from '../store/documents.ts';
import { type Person, samePerson } from './people.ts';

export interface Refused {
  code: 'conflict' | 'forbidden';
  message: string;
  suggestion: string;
}

/** Records one person's decision. The quorum of approvals opens the gate, a single rejection closes it. */
export function decide(
  gate: GateDocument,
  { decision, comment, at }: { decision: 'approve' | 'reject'; comment: string; at: string },
  person: Person,
): { gate: GateDocument } | { refused: Refused } {
  const refuse = (code: Refused['code'], message: string, suggestion: string) => ({
    refused: { code, message, suggestion },
  });
  if (gate.status !== 'open')
    return refuse('conflict', `The gate is ${gate.status} already.`, 'Nothing is left to decide here.');
  if (expired(gate, at)) return refuse('conflict', `The gate expired at ${gate.expiresAt}.`, 'Its policy decides now.');
  if (!person.roles.includes('approver'))
    return refuse('forbidden', 'Deciding at a gate needs the role approver.', 'Ask somebody who has it.');
  if (samePerson(person.subject, gate.requester))
    return refuse('forbidden', 'Whoever asked for this may not approve it.', 'Ask another approver.');
  if (!isNamed(gate, person))
    return refuse('forbidden', `This gate is decided by ${gate.policy.approvers.join(', ')}.`, 'Ask one of them.');
  if (gate.decisions.some(({ by }) => samePerson(by, person.subject)))
    return refuse(
      'conflict',
      'You have decided here before.',
      'A quorum counts different people: ask another approver.',
    );
  const decisions = [...gate.decisions, { by: person.subject, decision, comment, at }];
  const approvals = decisions.filter((each) => each.decision === 'approve').length;
  const status = decision === 'reject' ? 'rejected' : approvals >= gate.policy.quorum ? 'approved' : 'open';
  return { gate: { ...gate, decisions, status } };
}

function isNamed({ policy: { approvers } }: GateDocument, { subject, name }: Person): boolean {
  return approvers.length === 0 || approvers.some((each) => samePerson(each, name) || samePerson(each, subject));
}

/** Whether an open gate's time is over. */
export function expired(gate: Pick<GateDocument, 'status' | 'expiresAt'>, now: string): boolean {
  return gate.status === 'open' && gate.expiresAt !== undefined && Date.parse(gate.expiresAt) <= Date.parse(now);
}

/** The gate after its expiry: decided by its policy, or `expired`, which leaves the question to whoever waits at it. */
export function expire(gate: GateDocument, now: string): GateDocument {
  if (!expired(gate, now)) return gate;
  const { onExpiry } = gate.policy;
  if (onExpiry === 'hold') return { ...gate, status: 'expired' };
  const decision = { by: 'policy', decision: onExpiry, comment: `nobody decided before ${gate.expiresAt}`, at: now };
  return {
    ...gate,
    status: onExpiry === 'approve' ? 'approved' : 'rejected',
    decisions: [...gate.decisions, decision],
  };
}
