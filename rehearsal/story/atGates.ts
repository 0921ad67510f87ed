// What people do at a gate: approve, in part, for another, reject, or leave it open for a day.
import type { GateDocument } from '../../shared/store/documents.ts';
import { carl, dora, erin } from '../world/persons.ts';
import { type Doings, reason } from './doings.ts';

/**
 * Of gates: how many are rejected, how many nobody decides for a day, how many votes are handed to another, and before how
 * many commits the checks are run once more.
 */
export interface Deciding {
  rejects: number;
  sleeps: number;
  delegates: number;
  looksTwice: number;
}

/** Decides at a gate after about so many minutes, or a day. */
export function decideLater(doings: Doings, gate: GateDocument, people: Deciding, minutes: number): void {
  const rejected = doings.chance.happens(people.rejects * 0.5);
  const sleeps = doings.chance.happens(people.sleeps);
  const { name, waveId, groupId = '' } = gate;
  if (name === 'commit' && doings.chance.happens(people.looksTwice))
    doings.later(minutes / 4, () =>
      doings.ask(`validate ${groupId} again`, 'groupsValidate', { id: waveId, gid: groupId }, { reason }),
    );
  doings.later(sleeps ? 1500 : minutes, () => (rejected ? reject(doings, gate) : approve(doings, gate, people)));
}

async function reject(doings: Doings, { waveId, id, name }: GateDocument): Promise<void> {
  const body = { comment: reason, acceptDataLoss: true };
  await doings.ask(`reject ${name}`, 'gatesReject', { id: waveId, gateId: id }, body, carl);
}

async function approve(doings: Doings, gate: GateDocument, { delegates }: Deciding): Promise<void> {
  const { waveId, id, name, policy, workloadIds } = gate;
  const params = { id: waveId, gateId: id };
  const some = policy.partial && workloadIds.length > 1 && doings.chance.happens(0.5);
  const body = some ? { workloads: workloadIds.slice(0, 1) } : {};
  const voters = [carl, dora].slice(0, policy.quorum);
  if (policy.approvers.length > 0 && doings.chance.happens(delegates)) {
    await doings.ask(`hand the vote on ${name} to erin`, 'gatesDelegate', params, { to: 'erin', reason }, carl);
    voters[0] = erin;
  }
  const part = some ? ' in part' : '';
  for (const voter of voters) await doings.ask(`approve ${name}${part}`, 'gatesApprove', params, body, voter);
  if (!some) return;
  // What was not approved is decided as well, or its group would wait for ever.
  const rest = { workloads: workloadIds.slice(1) };
  if (doings.chance.happens(0.3))
    for (const voter of voters) await doings.ask(`approve the rest of ${name}`, 'gatesApprove', params, rest, voter);
  else
    await doings.ask(`reject the rest of ${name}`, 'gatesReject', params, { ...rest, comment: reason }, voters.at(-1));
}
