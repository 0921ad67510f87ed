// What people are asked: gates to approve, failed steps to decide about.
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { decide } from '../../shared/policy/gates.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { AttentionDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { checkRollback } from './pointOfNoReturn.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

const Comment = z.strictObject({
  comment: z.string().trim().max(1000).default(''),
  acceptDataLoss: z.boolean().default(false),
});
const Choice = z.strictObject({
  choice: z.enum(['retry', 'rollback']),
  reason: z.string().trim().min(1).max(1000),
  acceptDataLoss: z.boolean().default(false),
});
const Retry = z.strictObject({ reason: z.string().trim().max(1000).default('retried') });

const gateRoute = (decision: 'approve' | 'reject'): Route => ({
  name: `gates${decision === 'approve' ? 'Approve' : 'Reject'}`,
  method: 'POST',
  path: `waves/{id}/gates/{gateId}/${decision}`,
  allowed: ['approver'],
  async handle({ capabilities: { store, now }, request, param, person }) {
    const { comment, acceptDataLoss } = await readBody(request, Comment);
    const gate = await store.gates.change(param('id'), param('gateId'), (open) => {
      // Traffic has moved when a commit is asked about: rejecting it means rolling back.
      if (open.name === 'commit' && decision === 'reject' && (!acceptDataLoss || comment === ''))
        throw refuse(
          'conflict',
          'Rejecting the commit rolls back, and what the targets have accepted since traffic moved would be lost. Say so with "acceptDataLoss": true and a comment that gives the reason.',
        );
      const decided = decide(open, { decision, comment, at: now() }, person);
      if ('refused' in decided)
        throw refuse(decided.refused.code, `${decided.refused.message} ${decided.refused.suggestion}`);
      return decided.gate;
    });
    return json(gate);
  },
});

export const decisionRoutes: Route[] = [
  {
    name: 'gatesList',
    method: 'GET',
    path: 'waves/{id}/gates',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const { waveId } = await waveOf(store, param('id'));
      return json({ gates: await store.gates.list(waveId) });
    },
  },
  gateRoute('approve'),
  gateRoute('reject'),
  {
    name: 'attentionsAnswer',
    method: 'POST',
    path: 'waves/{id}/attentions/{attentionId}',
    allowed: ['operator', 'approver'],
    async handle({ capabilities, request, param, person }) {
      const asked = await readBody(request, Choice);
      return json(await reply(capabilities, param('id'), param('attentionId'), asked, person));
    },
  },
  {
    name: 'workloadsRetry',
    method: 'POST',
    path: 'waves/{id}/workloads/{wid}/retry',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { reason } = await readBody(request, Retry);
      const { waveId } = await waveOf(capabilities.store, param('id'));
      const attentions = await capabilities.store.attentions.list(waveId);
      const concerned = ({ status, workloadIds }: AttentionDocument) =>
        status === 'open' && (workloadIds.length === 0 || workloadIds.includes(param('wid')));
      const attention = attentions.find(concerned);
      if (attention === undefined)
        throw refuse('conflict', `Workload ${param('wid')} of wave ${waveId} does not wait for an answer.`);
      return json(
        await reply(capabilities, waveId, attention.id, { choice: 'retry', reason, acceptDataLoss: false }, person),
      );
    },
  },
];

async function reply(
  { store, now }: Capabilities,
  waveId: string,
  attentionId: string,
  { choice, reason, acceptDataLoss }: z.infer<typeof Choice>,
  person: Person,
): Promise<AttentionDocument> {
  const workloads = await store.workloads.list(waveId);
  return store.attentions.change(waveId, attentionId, (attention) => {
    if (attention.status !== 'open') throw refuse('conflict', `This question is ${attention.status} already.`);
    if (!attention.choices.includes(choice))
      throw refuse('conflict', `"${choice}" is not offered here, only ${attention.choices.join(', ')}.`);
    const concerned = workloads.filter(({ workloadId }) => attention.workloadIds.includes(workloadId));
    if (choice === 'rollback') checkRollback(concerned, person, acceptDataLoss);
    else if (!person.roles.includes('operator')) throw refuse('forbidden', 'This needs the role operator.');
    return { ...attention, status: 'answered', answer: { choice, by: person.subject, reason, at: now() } };
  });
}
