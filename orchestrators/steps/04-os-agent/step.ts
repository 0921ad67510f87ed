import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { waitUntilHealthy } from '../../appliances.ts';
import { agentPresent, dismissAgent, findAgent, installAgent, removeAgent } from './activities.ts';

/** Step 4 (agent-based workloads): an agent on the source's OS, put there through its host with a one-time token. */
export const osAgent = defineStep({
  number: 4,
  name: 'osAgent',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: z.strictObject({ adopted: z.boolean().describe('an agent that is not ours was there before') }),
  output: z.strictObject({ applianceId: z.string() }),
  *capture(ctx, workload) {
    return { adopted: yield* findAgent.call(ctx, workload) };
  },
  *run(ctx, workload, _before, attempt) {
    const operationId = ctx.operationId('applianceHealthy', workload.workloadId, attempt);
    const { applianceId, healthy } = yield* installAgent.call(ctx, { ...workload, operationId });
    if (!healthy) yield* waitUntilHealthy(ctx, operationId, applianceId, { minutes: 20 });
    return { applianceId };
  },
  *verify(ctx, workload) {
    if (yield* agentPresent.call(ctx, workload)) return { present: true };
    throw terminal(
      'applianceFailed',
      `The agent of ${workload.workloadId} has reported healthy, but its host does not find it on the source.`,
      'Look whether it was removed or is another machine’s, then retry.',
    );
  },
  *undo(ctx, workload, { adopted }) {
    if (!adopted) yield* uninstall(ctx, workload);
    yield* dismissAgent.call(ctx, workload);
  },
  todo: ({ workloadId }, { adopted }) => [
    ...(adopted ? [] : [`remove the agent from the source of ${workloadId}`]),
    `revoke the agent of ${workloadId}`,
  ],
});

function* uninstall(ctx: Ctx, workload: { waveId: string; workloadId: string }): Flow<void> {
  yield* removeAgent.call(ctx, workload);
  if (yield* agentPresent.call(ctx, workload))
    throw terminal(
      'applianceFailed',
      `The agent of ${workload.workloadId} is still on the source after its removal.`,
      'Remove it by hand (appliance/README.md names its files), then retry.',
    );
}
