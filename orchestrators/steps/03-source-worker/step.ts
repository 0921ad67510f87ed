import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { waitFor } from '../../../shared/durable/waits.ts';
import { terminal } from '../../../shared/errors.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import { applianceEventData } from '../../../shared/protocol/events.ts';
import { dismissAppliance } from '../../appliances/activities.ts';
import { waitUntilHealthy } from '../../appliances.ts';
import { byPeople } from '../../byHand.ts';
import {
  deployWorker,
  findWorker,
  freezeCanary,
  removeWorker,
  siteAllows,
  verifyWorker,
  workerPages,
} from './activities.ts';

const Verified = z.looseObject({
  type: z.literal('landfall.worker.verified'),
  data: applianceEventData['landfall.worker.verified'],
});

type Results = z.infer<typeof Verified>['data']['results'];

/** How many checks the evidence shows: the wave's document holds it, however many sources a site has. */
const shownAtMost = 200;

/** What the worker finds at the sources of some workloads, or of all of its site. */
function* verify(
  ctx: Ctx,
  asked: { waveId: string; siteId: string; operationId: string; more?: true },
  page: string[] | undefined,
): Flow<Results> {
  yield* verifyWorker.call(ctx, { ...asked, ...(page === undefined ? {} : { page }) });
  const { data } = yield* waitFor(
    ctx,
    asked.operationId,
    Verified,
    { minutes: 15 },
    `the checks of ${applianceIds.worker(asked.siteId)}`,
    'Look at the worker’s log, then retry.',
  );
  return data.results;
}

/**
 * Step 3 (sites with agentless workloads): a worker beside the hypervisor that gets through to it and can read every disk;
 * a canary is frozen by the source's own commands, and by its host.
 */
export const sourceWorker = defineStep({
  number: 3,
  name: 'sourceWorker',
  scope: 'environment',
  key: ({ siteId }) => siteId,
  input: z.strictObject({ environmentId: z.string(), waveId: z.string(), siteId: z.string() }),
  before: z.strictObject({
    adopted: z.boolean().describe('a worker of that name that is not ours stood there before'),
  }),
  output: z.strictObject({
    applianceId: z.string(),
    connectivity: applianceEventData['landfall.worker.verified'].shape.results,
  }),
  *capture(ctx, { environmentId, siteId }) {
    return { adopted: yield* findWorker.call(ctx, { environmentId, siteId }) };
  },
  *precheck(ctx, { waveId, siteId }) {
    if (!ctx.since('1.1')) return undefined;
    const checks = yield* siteAllows.call(ctx, { waveId, siteId });
    const missing = checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`);
    if (missing.length > 0)
      throw terminal(
        'forbidden',
        `The host of the site ${siteId} does not let Landfall do what it will have to do: ${missing.join('; ')}.`,
        'Give its user what is named (docs/hosts.md lists what for), then retry.',
      );
    return { checks: checks.slice(0, shownAtMost) };
  },
  *run(ctx, { environmentId, waveId, siteId }, _before, attempt) {
    const applianceId = applianceIds.worker(siteId);
    const operationId = ctx.operationId('applianceHealthy', applianceId, attempt);
    const { healthy, byHand } = yield* deployWorker.call(ctx, { environmentId, siteId, operationId });
    if (byHand === true) {
      const what = `Start a worker at the site ${siteId}, with the bootstrap that POST /api/appliances/${applianceId}/bootstrap answers.`;
      yield* byPeople(ctx, 'startWorker', { waveId, workloadIds: [] }, siteId, what);
    }
    if (!healthy) yield* waitUntilHealthy(ctx, operationId, applianceId, { minutes: 20 });
    const pages = ctx.since('1.1') ? yield* workerPages.call(ctx, { waveId, siteId }) : [undefined];
    const results: Results = [];
    for (const [number, page] of pages.entries()) {
      const operationId = ctx.operationId('verifyWorker', siteId, attempt, ...(number === 0 ? [] : [number]));
      const more = number === 0 ? {} : { more: true as const };
      results.push(...(yield* verify(ctx, { waveId, siteId, operationId, ...more }, page)));
    }
    if (ctx.since('1.1')) results.unshift(...(yield* freezeCanary.call(ctx, { waveId, siteId })));
    const broken = results.filter(({ passed }) => !passed);
    if (broken.length > 0)
      throw terminal(
        'sourceUnreachable',
        `${applianceId} cannot reach ${broken.map(({ name }) => name).join(', ')}.`,
        'Give the worker access to what is named, then retry.',
        broken.map(({ detail }) => detail).join('; '),
      );
    return { applianceId, connectivity: results.slice(0, shownAtMost) };
  },
  *undo(ctx, { environmentId, waveId, siteId }, { adopted }) {
    const input = { environmentId, siteId, ...(ctx.since('1.1') ? { waveId } : {}) };
    const asked = adopted ? null : yield* removeWorker.call(ctx, input);
    if (asked?.present === true)
      yield* byPeople(
        ctx,
        'removeWorker',
        { waveId, workloadIds: [] },
        siteId,
        `Remove the worker of the site ${siteId}.`,
      );
    yield* dismissAppliance.call(ctx, { applianceId: applianceIds.worker(siteId) });
  },
  todo: ({ siteId }, { adopted }) => {
    const applianceId = applianceIds.worker(siteId);
    const machine = `remove the worker ${applianceId} and its snapshots from site ${siteId}`;
    return [...(adopted ? [] : [machine]), `revoke the appliance ${applianceId}`];
  },
});
