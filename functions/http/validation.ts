// The checks of step 12 once more, while the group still waits for its commit.
import { z } from 'zod';
import { instancesOf } from '../../shared/policy/addressees.ts';
import type { GateDocument } from '../../shared/store/documents.ts';
import { reply } from './attentions.ts';
import { readBody } from './body.ts';
import { type Addressed, give, Reason, scopeOf } from './orders.ts';
import { refuse } from './problem.ts';
import { json, type Route } from './route.ts';
import { waveOf } from './waves.ts';

const Asked = z.strictObject({ reason: Reason });

export const validationRoutes: Route[] = [
  {
    name: 'groupsValidate',
    method: 'POST',
    path: 'waves/{id}/groups/{gid}/validate',
    allowed: ['operator'],
    async handle({ capabilities, request, param, person }) {
      const { reason } = await readBody(request, Asked);
      const wave = await waveOf(capabilities.store, param('id'));
      const group = param('gid');
      const scope = await scopeOf(capabilities.store, wave, { group });
      const { gates, attentions } = capabilities.store;
      const question = (await attentions.list(wave.waveId)).find(
        (each) => each.status === 'open' && each.step === 'finalValidation' && isOf(scope, each.workloadIds),
      );
      if (question !== undefined) {
        const retry = { choice: 'retry' as const, reason, acceptDataLoss: false };
        return json(await reply(capabilities, wave.waveId, question.id, retry, person), 202);
      }
      const isOpen = ({ groupId, name, status }: GateDocument) =>
        groupId === group && name === 'commit' && status === 'open';
      if (!(await gates.list(wave.waveId)).some(isOpen))
        throw refuse(
          'conflict',
          `Group ${group} waits neither at its commit gate nor for an answer after validation: there is nothing to validate again. What it does is in GET /api/waves/${wave.waveId}.`,
        );
      const instanceIds = instancesOf(wave, [{ id: group }], []);
      const signalOf = (stamp: { id: string; at: string }) =>
        ({ action: 'revalidate', by: person.subject, reason, ...stamp }) as const;
      return json(await give(capabilities, wave, { ...scope, instanceIds }, signalOf), 202);
    },
  },
];

function isOf(group: Addressed, workloadIds: readonly string[]): boolean {
  return workloadIds.some((id) => group.workloadIds.includes(id));
}
