// What Landfall does in a vCenter, as privileges: asked for before anything is changed.
// https://developer.broadcom.com/xapis/virtual-infrastructure-json-api/latest/data-structures/HasPrivilegeOnEntitiesRequestType
import { z } from 'zod';
import type { Site } from '../../model/environment.ts';
import type { Source } from '../../model/source.ts';
import type { HostCheck } from '../contract.ts';
import type { Vcenter } from './client.ts';
import { Reference, referenceTo } from './vim.ts';

/** On the virtual machines that are sources. */
const onMachines = [
  'VirtualMachine.Interact.PowerOn',
  'VirtualMachine.Interact.PowerOff',
  'VirtualMachine.Interact.DeviceConnection',
  'VirtualMachine.Config.EditDevice',
  'VirtualMachine.State.CreateSnapshot',
  'VirtualMachine.State.RemoveSnapshot',
  'VirtualMachine.Provisioning.DiskRandomRead',
];
/** Where the worker is put. */
const onPools = [
  'VApp.Import',
  'Resource.AssignVMToPool',
  'VirtualMachine.Config.AdvancedConfig',
  'VirtualMachine.Interact.PowerOn',
  'VirtualMachine.Interact.PowerOff',
  'VirtualMachine.Inventory.Delete',
];
const onDatastores = ['Datastore.AllocateSpace'];
const onNetworks = ['Network.Assign'];

export interface Entity {
  type: string;
  value: string;
  privileges: readonly string[];
}

/** Everything that Landfall touches for a site, with what it needs there. */
export function siteEntities(
  { resourcePool, datastore, networks }: Extract<Site['host'], { kind: 'vsphere' }>,
  sources: readonly Source[],
): Entity[] {
  return [
    { type: 'ResourcePool', value: resourcePool, privileges: onPools },
    ...(datastore === undefined ? [] : [{ type: 'Datastore', value: datastore, privileges: onDatastores }]),
    ...[...new Set(Object.values(networks))].map((value) => ({ type: 'Network', value, privileges: onNetworks })),
    ...sources.flatMap(({ host }) =>
      host.kind === 'vsphere' ? [{ type: 'VirtualMachine', value: host.vm, privileges: onMachines }] : [],
    ),
  ];
}

const Answer = z.array(
  z.looseObject({
    entity: Reference,
    privAvailability: z.array(z.looseObject({ privId: z.string(), isGranted: z.boolean() })),
  }),
);

/** How many entities are asked about at once. */
const atOnce = 200;

/** One check for each entity: which of the privileges its user lacks there. */
export async function privilegesOn(vcenter: Vcenter, entities: readonly Entity[]): Promise<HostCheck[]> {
  const { authorizationManager, sessionKey } = await vcenter.about();
  const checks: HostCheck[] = [];
  for (const { privileges, alike } of pagesOf(entities)) {
    const path = `/AuthorizationManager/${authorizationManager}/HasPrivilegeOnEntities`;
    const answers = await vcenter.vim('POST', path, Answer, {
      entity: alike.map(({ type, value }) => referenceTo(type, value)),
      sessionId: sessionKey,
      privId: [...privileges],
    });
    for (const { value } of alike) {
      const found = answers.find(({ entity }) => entity.value === value)?.privAvailability ?? [];
      const missing = privileges.filter((id) => !found.some(({ privId, isGranted }) => privId === id && isGranted));
      const detail = missing.length === 0 ? `${privileges.length} privileges` : `without ${missing.join(', ')}`;
      checks.push({ name: `privileges on ${value}`, passed: missing.length === 0, detail });
    }
  }
  return checks;
}

/** Entities of which the same privileges are asked, some at a time. */
function pagesOf(entities: readonly Entity[]): { privileges: readonly string[]; alike: Entity[] }[] {
  return [...new Set(entities.map(({ privileges }) => privileges))].flatMap((privileges) => {
    const all = entities.filter((entity) => entity.privileges === privileges);
    return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, page) => ({
      privileges,
      alike: all.slice(page * atOnce, (page + 1) * atOnce),
    }));
  });
}
