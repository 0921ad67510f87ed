import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { Environment, Site } from '../../../shared/model/environment.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { environmentOf, waveOf } from '../../../shared/store/plans.ts';
import { AskPeople, hasCome, mayHaveCome, untilStarted, wantAppliance } from '../../appliances/activities.ts';

const Input = z.strictObject({ environmentId: z.string(), siteId: z.string() });

function siteOf(environment: Environment, siteId: string): Site {
  const site = environment.sites.find(({ id }) => id === siteId);
  if (site === undefined)
    throw terminal(
      'notFound',
      `Environment ${environment.id} has no site ${siteId}.`,
      'Add the site to the environment.',
    );
  return site;
}

/** Whether a worker of that name stands there that is not ours: no wave of ours has registered it. */
export const findWorker = defineActivity({
  name: 'findWorker',
  input: Input,
  output: z.boolean(),
  async effect({ store, hosts }, { environmentId, siteId }) {
    const site = siteOf(await environmentOf(store, environmentId), siteId);
    const applianceId = applianceIds.worker(siteId);
    if ((await store.appliances.get(applianceId)) !== undefined) return false;
    return hosts.ofSite(site)?.workerPresent(site, applianceId) ?? false;
  },
});

/** The sites of the environment on which a worker of ours is registered, whichever wave wanted it. */
export const sitesWithWorkers = defineActivity({
  name: 'sitesWithWorkers',
  input: z.strictObject({ environmentId: z.string() }),
  output: z.array(z.string()),
  async effect({ store }, { environmentId }) {
    const { sites } = await environmentOf(store, environmentId);
    const known = new Set((await store.appliances.list(environmentId)).map(({ applianceId }) => applianceId));
    return sites.map(({ id }) => id).filter((id) => known.has(applianceIds.worker(id)));
  },
});

export const deployWorker = defineActivity({
  name: 'deployWorker',
  changes: 'the worker of a site',
  retry: untilStarted,
  input: Input.extend({ operationId: z.string() }),
  output: z.strictObject({
    healthy: z.boolean(),
    byHand: z.literal(true).optional().describe('people are to start it'),
  }),
  async effect(capabilities, { environmentId, siteId, operationId }, { changed }) {
    const { store, hosts } = capabilities;
    const site = siteOf(await environmentOf(store, environmentId), siteId);
    const applianceId = applianceIds.worker(siteId);
    const host = hosts.ofSite(site);
    const present = await (host?.workerPresent(site, applianceId) ?? hasCome(store, applianceId));
    const wanted = await wantAppliance(
      capabilities,
      { environmentId, applianceId, kind: 'worker', operationId, byHand: host === undefined },
      present,
    );
    if (wanted.state === 'start') {
      if (host === undefined) return { healthy: false, byHand: true as const };
      await host.deployWorker(site, applianceId, wanted.bootstrap);
      changed({
        verb: 'deployed',
        object: `worker ${applianceId}`,
        before: present ? 'there' : 'absent',
        after: 'there',
      });
    }
    return { healthy: wanted.state === 'healthy' };
  },
});

/** How many sources a worker is asked about at once: a message of Service Bus carries 256 kB at most. */
const sourcesPerPage = 50;

/** The workloads that a site's worker reads, in pages. */
export const workerPages = defineActivity({
  name: 'workerPages',
  input: z.strictObject({ waveId: z.string(), siteId: z.string() }),
  output: z.array(z.array(z.string())),
  async effect({ store }, { waveId, siteId }) {
    const ids = await readBy(store, waveId, applianceIds.worker(siteId));
    const pages = Math.ceil(ids.length / sourcesPerPage);
    return Array.from({ length: pages }, (_, page) => ids.slice(page * sourcesPerPage, (page + 1) * sourcesPerPage));
  },
});

async function readBy(store: Store, waveId: string, applianceId: string): Promise<string[]> {
  const groups = await store.plans.groups((await waveOf(store, waveId)).plan);
  const members = groups.flatMap((group) => group.members).filter((member) => member.applianceId === applianceId);
  return members.map(({ workloadId }) => workloadId);
}

/** Asks the worker to read every disk that it is to replicate and to freeze and release one snapshot per source. */
export const verifyWorker = defineActivity({
  name: 'verifyWorker',
  changes: 'what a worker is asked for',
  input: z.strictObject({
    ...{ waveId: z.string(), siteId: z.string(), operationId: z.string() },
    page: z.array(z.string()).optional().describe('workloads whose sources are meant; all of the site, if left out'),
  }),
  output: Nothing,
  async effect({ store, bus }, { waveId, siteId, operationId, page }, { changed }) {
    const applianceId = applianceIds.worker(siteId);
    const ids = page ?? (await readBy(store, waveId, applianceId));
    const sources = (await store.workloads.some(waveId, ids)).map(({ plan }) => plan.source);
    const disks = sources.flatMap((source) =>
      source.disks.map(({ id, path }) => ({ sourceId: source.id, diskId: id, path })),
    );
    const snapshots = sources.flatMap((source) =>
      source.disks.slice(0, 1).map(({ id }) => ({ sourceId: source.id, diskId: id, snapshot: source.snapshot })),
    );
    await bus.publish({ type: 'landfall.worker.verify', operationId, aud: applianceId, data: { disks, snapshots } });
    changed({ verb: 'sent', object: `landfall.worker.verify to ${applianceId}` });
    return null;
  },
});

export const removeWorker = defineActivity({
  name: 'removeWorker',
  changes: 'the worker of a site',
  input: Input,
  output: z.union([Nothing, AskPeople]),
  async effect({ store, hosts }, { environmentId, siteId }, { changed }) {
    const site = siteOf(await environmentOf(store, environmentId), siteId);
    const host = hosts.ofSite(site);
    if (host === undefined)
      return { byHand: true as const, present: await mayHaveCome(store, applianceIds.worker(siteId)) };
    await host.removeWorker(site, applianceIds.worker(siteId));
    changed({ verb: 'removed', object: `worker ${applianceIds.worker(siteId)}`, after: 'absent' });
    return null;
  },
});
