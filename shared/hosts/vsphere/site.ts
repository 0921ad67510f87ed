// The worker of a site with a vCenter: a virtual machine made of an item of a content library, and what that takes.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { terminal } from '../../errors.ts';
import type { Site } from '../../model/environment.ts';
import type { VsphereConnection } from '../connections.ts';
import type { SiteHost } from '../contract.ts';
import { Nothing, type Vcenter, VcenterSilence } from './client.ts';
import { inVcenter } from './failures.ts';
import { privilegesOn, siteEntities } from './privileges.ts';
import { runTask } from './vim.ts';

type VsphereSite = Extract<Site['host'], { kind: 'vsphere' }>;

/** Tells ours from everybody else's: only these are ever removed. */
const annotation = 'Landfall source worker: removed by Landfall once no wave needs it.';
/** The guest reads it with `vmware-rpctool "info-get guestinfo.landfall.bootstrap"`, in Base64. */
const bootstrapKey = 'guestinfo.landfall.bootstrap';
/** An OVF of a few gigabytes is copied while the request lasts; asked again, its token brings the same answer. */
const deployWithinMs = 300_000;
const offWithinMs = 60_000;

const Ids = z.array(z.string());
const Summaries = z.array(z.looseObject({ vm: z.string(), power_state: z.string() }));
const Deployed = z.looseObject({
  succeeded: z.boolean(),
  resource_id: z.looseObject({ id: z.string() }).optional(),
  error: z.unknown().optional(),
});
const Annotated = z.looseObject({ annotation: z.string().default('') });
const Esxi = z.array(z.looseObject({ name: z.string() }));

/** What a vCenter offers for its sites. */
export function vsphereSite({ url }: VsphereConnection, vcenter: Vcenter): SiteHost {
  const find = async (name: string): Promise<z.infer<typeof Summaries>[number] | undefined> =>
    (await vcenter.api('GET', `/vcenter/vm?names=${encodeURIComponent(name)}`, Summaries))[0];
  const isOurs = async (vm: string): Promise<boolean> =>
    (await vcenter.vim('GET', `/VirtualMachine/${vm}/config`, Annotated)).annotation === annotation;
  const requireOurs = async (name: string, vm: string): Promise<void> => {
    if (await isOurs(vm)) return;
    throw terminal(
      'conflict',
      `The virtual machine ${name} (${vm}) is not Landfall’s: it is left alone.`,
      'Rename or remove it, then retry.',
    );
  };
  return {
    workerPresent: (_site, name) => inVcenter(url, name, async () => (await find(name)) !== undefined),

    deployWorker: (site, name, bootstrap) =>
      inVcenter(url, name, async () => {
        const found = await find(name);
        if (found !== undefined) await requireOurs(name, found.vm);
        const vm = found?.vm ?? (await deploy(vcenter, siteOf(site), name));
        if (found?.power_state === 'POWERED_ON') return;
        const value = { _typeName: 'string', _value: Buffer.from(bootstrap).toString('base64') };
        const extraConfig = [{ _typeName: 'OptionValue', key: bootstrapKey, value }];
        const spec = { _typeName: 'VirtualMachineConfigSpec', extraConfig };
        await runTask(vcenter, `/VirtualMachine/${vm}/ReconfigVM_Task`, { spec });
        await vcenter.api('POST', `/vcenter/vm/${vm}/power?action=start`, Nothing);
      }),

    removeWorker: (_site, name) =>
      inVcenter(url, name, async () => {
        const found = await find(name);
        if (found === undefined) return;
        await requireOurs(name, found.vm);
        if (found.power_state !== 'POWERED_OFF') {
          await vcenter.api('POST', `/vcenter/vm/${found.vm}/power?action=stop`, Nothing);
          for (const until = Date.now() + offWithinMs; (await find(name))?.power_state !== 'POWERED_OFF'; ) {
            if (Date.now() > until) throw new VcenterSilence(`${name} is still on after its power was cut`);
            await sleep(500);
          }
        }
        await vcenter.api('DELETE', `/vcenter/vm/${found.vm}`, Nothing);
      }),

    allows: (site, sources) =>
      inVcenter(url, `the site ${site.id}`, () => privilegesOn(vcenter, siteEntities(siteOf(site), sources))),

    reach: (site) =>
      inVcenter(url, `the site ${site.id}`, async () => {
        const { hostname, port, protocol } = new URL(url);
        const own = { host: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
        const hosts = await vcenter.api('GET', '/vcenter/host', Esxi);
        // Any host may serve the disks of any machine: 443 for its API, 902 for the bytes.
        return [own, ...hosts.flatMap(({ name }) => [443, 902].map((each) => ({ host: name, port: each })))];
      }),
  };
}

async function deploy(vcenter: Vcenter, site: VsphereSite, name: string): Promise<string> {
  const library = await onlyOne(vcenter, '/content/library', { name: site.library }, `library "${site.library}"`);
  const wanted = { name: site.item, library_id: library };
  const item = await onlyOne(vcenter, '/content/library/item', wanted, `item "${site.item}" in "${site.library}"`);
  const { resourcePool, folder, datastore, networks } = site;
  const { succeeded, resource_id, error } = await vcenter.api(
    'POST',
    `/vcenter/ovf/library-item/${item}?action=deploy`,
    Deployed,
    {
      headers: { 'client-token': createHash('sha256').update(`${name} ${item}`).digest('hex').slice(0, 32) },
      withinMs: deployWithinMs,
      body: {
        target: { resource_pool_id: resourcePool, ...(folder === undefined ? {} : { folder_id: folder }) },
        deployment_spec: {
          ...{ name, annotation, accept_all_EULA: true, storage_provisioning: 'thin', network_mappings: networks },
          ...(datastore === undefined ? {} : { default_datastore_id: datastore }),
        },
      },
    },
  );
  if (succeeded && resource_id !== undefined) return resource_id.id;
  throw terminal(
    'sourceUnreachable',
    `vCenter could not make ${name} of the item "${site.item}".`,
    'Look at its tasks and events, then retry.',
    JSON.stringify(error)?.slice(0, 4000),
  );
}

async function onlyOne(vcenter: Vcenter, path: string, body: object, what: string): Promise<string> {
  const ids = await vcenter.api('POST', `${path}?action=find`, Ids, { body });
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return id;
  throw terminal(
    'invalidInput',
    `vCenter has ${ids.length === 0 ? 'no' : `${ids.length} times the`} ${what}.`,
    'Name another one in the environment, or rename it in vCenter.',
  );
}

function siteOf({ id, host }: Site): VsphereSite {
  if (host.kind === 'vsphere') return host;
  throw terminal('invalidInput', `The site "${id}" has no vCenter.`, 'Use the implementation for its kind.');
}
