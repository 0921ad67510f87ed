// What people are asked about failed steps, and what they answer.
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { Person } from '../../shared/policy/people.ts';
import type { AttentionDocument } from '../../shared/store/documents.ts';
import { readBody } from './body.ts';
import { checkRollback } from './pointOfNoReturn.ts';
import { refuse } from './problem.ts';
import { json, type Route } from './route.ts';
import { waveOf } from './waves.ts';

const Choice = z.strictObject({
  choice: z.enum(['retry', 'rollback']),
  reason: z.string().trim().min(1).max(1000),
  acceptDataLoss: z.boolean().default(false),
});
const Retry = z.strictObject({ reason: z.string().trim().max(1000).default('retried') });

export const decisionRoutes: Route[] = [
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
