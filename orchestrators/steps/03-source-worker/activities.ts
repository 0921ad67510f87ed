import { z } from 'zod';
import type { Capabilities } from '../../../shared/capabilities.ts';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { Environment, Site } from '../../../shared/model/environment.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import type { Source } from '../../../shared/model/source.ts';
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

async function sourcesOf(store: Store, waveId: string, siteId: string): Promise<Source[]> {
  const ids = await readBy(store, waveId, applianceIds.worker(siteId));
  return (await store.workloads.some(waveId, ids)).map(({ plan }) => plan.source);
}

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
    more: z.boolean().optional().describe('it was asked for what concerns no single source'),
  }),
  output: Nothing,
  async effect({ store, bus, hosts }, { waveId, siteId, operationId, page, more }, { changed }) {
    const applianceId = applianceIds.worker(siteId);
    const site = siteOf((await waveOf(store, waveId)).plan.environment, siteId);
    const reach = more === true ? [] : ((await hosts.ofSite(site)?.reach?.(site)) ?? []);
    const ids = page ?? (await readBy(store, waveId, applianceId));
    const sources = (await store.workloads.some(waveId, ids)).map(({ plan }) => plan.source);
    const disks = sources.flatMap((source) =>
      source.disks.map(({ id, path }) => ({ sourceId: source.id, diskId: id, path })),
    );
    const snapshots = sources.flatMap((source) =>
      source.disks.slice(0, 1).map(({ id }) => ({ sourceId: source.id, diskId: id, snapshot: source.snapshot })),
    );
    const data = { disks, snapshots, reach };
    await bus.publish({ type: 'landfall.worker.verify', operationId, aud: applianceId, data });
    changed({ verb: 'sent', object: `landfall.worker.verify to ${applianceId}` });
    return null;
  },
});

const Checks = z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string() }));

/** Whether the site's host lets us do what the worker and its sources will need: asked before anything is changed. */
export const siteAllows = defineActivity({
  name: 'siteAllows',
  input: z.strictObject({ waveId: z.string(), siteId: z.string() }),
  output: Checks,
  async effect({ store, hosts }, { waveId, siteId }) {
    const site = siteOf((await waveOf(store, waveId)).plan.environment, siteId);
    const host = hosts.ofSite(site);
    return host?.allows === undefined ? [] : host.allows(site, await sourcesOf(store, waveId, siteId));
  },
});

const canaryOf = (siteId: string): string => `landfall-canary-${siteId}`;

/** The first source of a site whose host freezes disks: one stands for all. */
async function canarySource({ store, hosts }: Pick<Capabilities, 'store' | 'hosts'>, waveId: string, siteId: string) {
  for (const source of await sourcesOf(store, waveId, siteId)) {
    const snapshots = hosts.of(source)?.snapshots;
    if (snapshots !== undefined) return { source, snapshots };
  }
  return undefined;
}

/** Freezes one source of a site at its host and lets it go again; no check where no host freezes anything. */
export const freezeCanary = defineActivity({
  name: 'freezeCanary',
  changes: 'a canary snapshot of a source',
  input: z.strictObject({ waveId: z.string(), siteId: z.string() }),
  output: Checks,
  async effect(capabilities, { waveId, siteId }, { changed }) {
    const canary = await canarySource(capabilities, waveId, siteId);
    if (canary === undefined) return [];
    const { source, snapshots } = canary;
    const name = canaryOf(siteId);
    const frozen = await snapshots.take(source, name);
    changed({ verb: 'took', object: `snapshot ${name} of ${source.id}` });
    await snapshots.release(source, name);
    changed({ verb: 'removed', object: `snapshot ${name} of ${source.id}` });
    const detail = `taken and removed, ${frozen.length} disks`;
    return [{ name: `${source.id} canary`, passed: frozen.length > 0, detail }];
  },
});

export const removeWorker = defineActivity({
  name: 'removeWorker',
  changes: 'the worker of a site',
  input: Input.extend({ waveId: z.string().optional().describe('whose canary snapshot goes with it') }),
  output: z.union([Nothing, AskPeople]),
  async effect({ store, hosts }, { environmentId, siteId, waveId }, { changed }) {
    const site = siteOf(await environmentOf(store, environmentId), siteId);
    const canary = waveId === undefined ? undefined : await canarySource({ store, hosts }, waveId, siteId);
    await canary?.snapshots.release(canary.source, canaryOf(siteId));
    const host = hosts.ofSite(site);
    if (host === undefined)
      return { byHand: true as const, present: await mayHaveCome(store, applianceIds.worker(siteId)) };
    await host.removeWorker(site, applianceIds.worker(siteId));
    changed({ verb: 'removed', object: `worker ${applianceIds.worker(siteId)}`, after: 'absent' });
    return null;
  },
});
