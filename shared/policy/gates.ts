// Who may decide at a gate, what their decisions come to, and what becomes of a gate that nobody decides.
import type { GateDocument } from '../store/documents.ts';
import { type Person, samePerson } from './people.ts';
import { didYouMean } from './problems.ts';

export interface Refused {
  code: 'conflict' | 'forbidden' | 'invalidInput';
  message: string;
  suggestion: string;
}
type Outcome = { gate: GateDocument } | { refused: Refused };

export interface Decision {
  decision: 'approve' | 'reject';
  comment: string;
  at: string;
  /** Only these workloads; without them, all that are not decided yet. */
  workloads?: readonly string[] | undefined;
  /** Said with the rejection of a commit: what the targets have taken in may be lost. */
  acceptDataLoss?: boolean | undefined;
}

/** A gate that concerns no workload is decided like one that concerns a single one. */
const theWhole = '';

/** Records one person's decision. What is asked about opens with its quorum of approvals and closes with one rejection. */
export function decide(gate: GateDocument, wanted: Decision, person: Person): Outcome {
  const entitled = entitlement(gate, person, wanted.at);
  if ('refused' in entitled) return entitled;
  const chosen = wanted.workloads;
  const refused = chosen === undefined ? undefined : refuseChoice(gate, chosen);
  if (refused !== undefined) return { refused };
  const units = chosen ?? undecided(gate);
  const mine = gate.decisions.filter(({ by }) => samePerson(by, person.subject));
  if (mine.some((before) => units.some((unit) => concerns(before, unit))))
    return refuse(
      'conflict',
      'You have decided here before.',
      'A quorum counts different people: ask another approver.',
    );
  const { decision, comment, at, acceptDataLoss } = wanted;
  const entry: GateDocument['decisions'][number] = {
    by: person.subject,
    decision,
    comment,
    at,
    ...(gate.policy.partial ? { workloads: [...units] } : {}),
    ...(entitled.onBehalfOf === undefined ? {} : { onBehalfOf: entitled.onBehalfOf }),
    ...(acceptDataLoss === true ? { acceptDataLoss } : {}),
  };
  return { gate: settle({ ...gate, decisions: [...gate.decisions, entry] }) };
}

/** Hands the vote of somebody who is named, or in a named group, to another person. The other votes in person, once. */
export function delegate(
  gate: GateDocument,
  { to, reason, at }: { to: string; reason: string; at: string },
  person: Person,
): Outcome {
  const { policy } = gate;
  if (!policy.delegation)
    return refuse(
      'forbidden',
      'This gate takes no delegation.',
      'Decide in person, or change the wave before it starts.',
    );
  const entitled = entitlement(gate, person, at);
  if ('refused' in entitled) return entitled;
  if (entitled.onBehalfOf !== undefined)
    return refuse('forbidden', 'A vote that was handed to you is not handed on.', `Ask ${entitled.onBehalfOf}.`);
  if (namesNobody(gate))
    return refuse(
      'conflict',
      `Anybody with the role ${policy.roles.join(' or ')} may decide here.`,
      'There is nothing to hand over: ask one of them.',
    );
  if (samePerson(to, gate.requester))
    return refuse(
      'forbidden',
      'Whoever asked for this may not approve it, also not for another.',
      'Name somebody else.',
    );
  if (samePerson(to, person.subject) || samePerson(to, person.name))
    return refuse('invalidInput', 'You hand your vote to yourself.', 'Name another person.');
  if (gate.decisions.some(({ by }) => samePerson(by, person.subject)))
    return refuse('conflict', 'You have decided here before.', 'There is no vote left to hand over.');
  if (gate.delegations.length >= entriesKept)
    return refuse(
      'conflict',
      `The gate has ${entriesKept} delegations already.`,
      'One of those who were named decides.',
    );
  return { gate: { ...gate, delegations: [...gate.delegations, { from: person.subject, to, reason, at }] } };
}

/** A gate is one document: so many comments and delegations at most. */
const entriesKept = 200;

/** Adds a word to a gate; decides nothing, and is possible after the decision too. */
export function comment(gate: GateDocument, { text, at }: { text: string; at: string }, person: Person): Outcome {
  if (gate.comments.length >= entriesKept)
    return refuse(
      'conflict',
      `The gate has ${entriesKept} comments already.`,
      'Talk elsewhere, and put the result into the decision.',
    );
  return { gate: { ...gate, comments: [...gate.comments, { by: person.subject, text, at }] } };
}

/** Whether an open gate's time is over. */
export function expired(gate: Pick<GateDocument, 'status' | 'expiresAt'>, now: string): boolean {
  return gate.status === 'open' && gate.expiresAt !== undefined && Date.parse(gate.expiresAt) <= Date.parse(now);
}

/** The gate after its expiry: its policy decides what people have not. With `hold` that stays undecided, and is left out. */
export function expire(gate: GateDocument, now: string): GateDocument {
  if (!expired(gate, now)) return gate;
  const { onExpiry } = gate.policy;
  if (onExpiry === 'hold') {
    const approved = approvedOf(gate);
    return { ...gate, status: approved.length > 0 ? 'approved' : 'expired', approved };
  }
  const comment = `not decided before ${gate.expiresAt}`;
  const entry = { by: 'policy', byPolicy: true, decision: onExpiry, comment, at: now };
  return settle({ ...gate, decisions: [...gate.decisions, entry] });
}

/** Who the person decides as: for themselves, or for somebody who handed them the vote. */
function entitlement(gate: GateDocument, person: Person, at: string): { onBehalfOf?: string } | { refused: Refused } {
  const { policy } = gate;
  if (gate.status !== 'open')
    return refuse('conflict', `The gate is ${gate.status} already.`, 'Nothing is left to decide here.');
  if (expired(gate, at)) return refuse('conflict', `The gate expired at ${gate.expiresAt}.`, 'Its policy decides now.');
  if (!policy.roles.some((role) => person.roles.includes(role)))
    return refuse(
      'forbidden',
      `Deciding at this gate needs the role ${policy.roles.join(' or ')}.`,
      'Ask somebody who has it.',
    );
  if (samePerson(person.subject, gate.requester))
    return refuse('forbidden', 'Whoever asked for this may not approve it.', 'Ask another approver.');
  if (namesNobody(gate)) return {};
  if (isNamed(gate, person)) {
    const used = gate.decisions.find(
      ({ onBehalfOf }) => onBehalfOf !== undefined && samePerson(onBehalfOf, person.subject),
    );
    if (used === undefined) return {};
    return refuse('conflict', `${used.by} has decided for you, as you asked.`, 'There is no vote left.');
  }
  const isCast = (from: string) =>
    gate.decisions.some(
      ({ by, onBehalfOf }) =>
        samePerson(by, from) ||
        (onBehalfOf !== undefined && samePerson(onBehalfOf, from) && !samePerson(by, person.subject)),
    );
  const handed = gate.delegations.find(
    ({ from, to }) => (samePerson(to, person.subject) || samePerson(to, person.name)) && !isCast(from),
  );
  if (handed !== undefined) return { onBehalfOf: handed.from };
  const who = [...policy.approvers, ...policy.groups.map((group) => `the group ${group}`)];
  return refuse(
    'forbidden',
    `This gate is decided by ${who.join(', ')}.`,
    'Ask one of them to decide, or to hand you the vote.',
  );
}

function namesNobody({ policy: { approvers, groups } }: GateDocument): boolean {
  return approvers.length === 0 && groups.length === 0;
}

function isNamed({ policy: { approvers, groups } }: GateDocument, person: Person): boolean {
  return (
    approvers.some((each) => samePerson(each, person.name) || samePerson(each, person.subject)) ||
    groups.some((group) => person.groups?.some((each) => samePerson(each, group)))
  );
}

function refuseChoice(gate: GateDocument, chosen: readonly string[]): Refused | undefined {
  if (!gate.policy.partial)
    return {
      code: 'conflict',
      message: 'This gate is decided as a whole.',
      suggestion: 'Leave "workloads" out; a gate with "partial": true takes them.',
    };
  for (const workload of chosen) {
    if (!gate.workloadIds.includes(workload)) {
      const meant = didYouMean(workload, gate.workloadIds);
      const suggestion =
        meant === undefined ? `It asks about ${gate.workloadIds.join(', ')}.` : `Did you mean "${meant}"?`;
      return { code: 'invalidInput', message: `This gate does not ask about "${workload}".`, suggestion };
    }
    const verdict = verdictOn(gate, workload);
    if (verdict !== 'open')
      return {
        code: 'conflict',
        message: `"${workload}" is ${verdict} already.`,
        suggestion: `Name only what is left: ${undecided(gate).join(', ')}.`,
      };
  }
  return undefined;
}

function unitsOf({ workloadIds }: GateDocument): readonly string[] {
  return workloadIds.length === 0 ? [theWhole] : workloadIds;
}

/** What people have still to decide. */
function undecided(gate: GateDocument): string[] {
  return unitsOf(gate).filter((unit) => verdictOn(gate, unit) === 'open');
}

const concerns = ({ workloads }: GateDocument['decisions'][number], unit: string): boolean =>
  workloads === undefined || workloads.includes(unit);

function verdictOn(gate: GateDocument, unit: string): 'open' | 'approved' | 'rejected' {
  const about = gate.decisions.filter((each) => concerns(each, unit));
  const said = about.filter(({ byPolicy }) => byPolicy !== true);
  if (said.some(({ decision }) => decision === 'reject')) return 'rejected';
  if (said.length >= gate.policy.quorum) return 'approved';
  const ofPolicy = about.find(({ byPolicy }) => byPolicy === true)?.decision;
  return ofPolicy === undefined ? 'open' : ofPolicy === 'approve' ? 'approved' : 'rejected';
}

function approvedOf(gate: GateDocument): string[] {
  return gate.workloadIds.filter((unit) => verdictOn(gate, unit) === 'approved');
}

/** A gate is decided once everything that it asks about is. */
function settle(gate: GateDocument): GateDocument {
  const verdicts = unitsOf(gate).map((unit) => verdictOn(gate, unit));
  if (verdicts.includes('open')) return gate;
  const status = verdicts.includes('approved') ? 'approved' : 'rejected';
  return { ...gate, status, approved: approvedOf(gate) };
}

function refuse(code: Refused['code'], message: string, suggestion: string): { refused: Refused } {
  return { refused: { code, message, suggestion } };
}
