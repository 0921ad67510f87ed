// The checks of step 12 once more, while the group still waits for its commit.
import { z } from 'zod';
import { readBody } from './body.ts';
import { give, Reason, scopeOf } from './orders.ts';
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
      const { instanceIds } = scopeOf(wave, { group });
      const gates = await capabilities.store.gates.list(wave.waveId);
      if (!gates.some(({ groupId, name, status }) => groupId === group && name === 'commit' && status === 'open'))
        throw refuse(
          'conflict',
          `Group ${group} does not wait at its commit gate: there is nothing to validate again. Where validation has failed for good, "retry" answers the question (GET /api/waves/${wave.waveId}/attentions).`,
        );
      const own = instanceIds.filter((id) => id.startsWith('group-'));
      const signalOf = (stamp: { id: string; at: string }) =>
        ({ action: 'revalidate', by: person.subject, reason, ...stamp }) as const;
      return json(await give(capabilities, wave, { workloadIds: [], instanceIds: own }, signalOf), 202);
    },
  },
];
