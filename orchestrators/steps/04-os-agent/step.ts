import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { waitUntilHealthy } from '../../appliances.ts';
import { believeOrAsk, byPeople, looksOff } from '../../byHand.ts';
import { answerTo } from '../../commands.ts';
import { agentPresent, dismissAgent, findAgent, installAgent, pushAgent, removeAgent } from './activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}

/** Step 4 (agent-based workloads): an agent on the source's OS, put there by the target appliance, by the host, or by people. */
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
    const { applianceId, healthy, byHand, pushed } = yield* installAgent.call(ctx, { ...workload, operationId });
    if (byHand === true) yield* installByHand(ctx, workload, applianceId);
    if (pushed === true) yield* push(ctx, workload, 'install', attempt);
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

function* installByHand(ctx: Ctx, { waveId, workloadId }: Workload, applianceId: string): Flow<void> {
  const what = `Start an agent on the source of ${workloadId}, with the bootstrap that POST /api/appliances/${applianceId}/bootstrap answers.`;
  yield* byPeople(ctx, 'installAgent', { waveId, workloadIds: [workloadId] }, workloadId, what);
}

function* uninstallByHand(ctx: Ctx, workload: Workload): Flow<void> {
  const { waveId, workloadId } = workload;
  const what = `Remove the agent from the source of ${workloadId}.`;
  const { at } = yield* byPeople(ctx, 'removeAgent', { waveId, workloadIds: [workloadId] }, workloadId, what);
  const seen = yield* looksOff(ctx, workload, at, []);
  yield* believeOrAsk(ctx, 'removeAgent', workload, seen, 'applianceFailed');
}

/** The target appliance does it, and answers when it is done and looked at. */
function* push(ctx: Ctx, workload: Workload, verb: 'install' | 'remove', ...key: number[]): Flow<void> {
  const operationId = ctx.operationId(`${verb}Agent`, workload.workloadId, ...key);
  yield* pushAgent.call(ctx, { ...workload, operationId, verb });
  const what = `the target appliance to ${verb} the agent of ${workload.workloadId}`;
  yield* answerTo(ctx, operationId, { minutes: 20 }, what);
}

function* uninstall(ctx: Ctx, workload: Workload): Flow<void> {
  const asked = yield* removeAgent.call(ctx, workload);
  if (asked !== null && 'pushed' in asked) {
    if (asked.present) yield* push(ctx, workload, 'remove', ctx.nextCount('removeAgent'));
    return;
  }
  if (asked !== null) {
    if (asked.present) yield* uninstallByHand(ctx, workload);
    return;
  }
  if (yield* agentPresent.call(ctx, workload))
    throw terminal(
      'applianceFailed',
      `The agent of ${workload.workloadId} is still on the source after its removal.`,
      'Remove it by hand (appliance/README.md names its files), then retry.',
    );
}
