// The part of the vSphere automation API that is simulated, below /api.
// https://developer.broadcom.com/xapis/vsphere-automation-api/latest/
import { z } from 'zod';
import { type DeclaredUser, notSimulated } from './contract.ts';
import type { Inventory } from './inventory.ts';

export interface Call {
  inventory: Inventory;
  user: DeclaredUser;
  sessionKey: string;
  /** What the path's pattern has matched. */
  params: string[];
  query: URLSearchParams;
  clientToken: string | undefined;
  body: <T>(schema: z.ZodType<T>) => T;
}
export type Route = [method: string, path: RegExp, handle: (call: Call) => Promise<unknown> | unknown];

const Find = z.strictObject({ name: z.string(), library_id: z.string().optional() });
const Deploy = z.strictObject({
  target: z.strictObject({
    resource_pool_id: z.string(),
    folder_id: z.string().optional(),
    host_id: z.string().optional(),
  }),
  deployment_spec: z.strictObject({
    name: z.string(),
    annotation: z.string().default(''),
    accept_all_EULA: z.boolean(),
    network_mappings: z.record(z.string(), z.string()).default({}),
    default_datastore_id: z.string().optional(),
    storage_provisioning: z.enum(['thin', 'thick', 'eagerZeroedThick']).optional(),
  }),
});

export const automationRoutes: Route[] = [
  [
    'GET',
    /^\/vcenter\/vm$/,
    ({ inventory, query }) => {
      const names = query.getAll('names');
      return [...inventory.machines.values()]
        .filter(({ name }) => names.length === 0 || names.includes(name))
        .map(({ id, name, power }) => ({ vm: id, name, power_state: power, cpu_count: 1, memory_size_MiB: 1024 }));
    },
  ],
  [
    'GET',
    /^\/vcenter\/vm\/([^/]+)$/,
    ({ inventory, params: [id = ''] }) => {
      const { name, power, disks, nics } = inventory.machine(id);
      return {
        name,
        power_state: power,
        disks: Object.fromEntries(
          [...disks.values()].map(({ key, label, capacity, file }) => [
            key,
            { label, type: 'SCSI', capacity, backing: { type: 'VMDK_FILE', vmdk_file: file } },
          ]),
        ),
        nics: Object.fromEntries(
          [...nics].map(([key, { label, state, startConnected }]) => [
            key,
            { label, type: 'VMXNET3', state, start_connected: startConnected, allow_guest_control: true },
          ]),
        ),
      };
    },
  ],
  [
    'DELETE',
    /^\/vcenter\/vm\/([^/]+)$/,
    ({ inventory, user, params: [id = ''] }) => {
      inventory.require(user, 'VirtualMachine.Inventory.Delete');
      inventory.delete(inventory.machine(id));
    },
  ],
  [
    'POST',
    /^\/vcenter\/vm\/([^/]+)\/power$/,
    ({ inventory, user, params: [id = ''], query }) => {
      const machine = inventory.machine(id);
      const action = query.get('action');
      if (action === 'start') {
        inventory.require(user, 'VirtualMachine.Interact.PowerOn');
        return machine.start();
      }
      if (action !== 'stop') throw notSimulated(`the power action ${action}`);
      inventory.require(user, 'VirtualMachine.Interact.PowerOff');
      return machine.stop();
    },
  ],
  [
    'POST',
    /^\/vcenter\/vm\/([^/]+)\/guest\/power$/,
    ({ inventory, user, params: [id = ''], query }) => {
      if (query.get('action') !== 'shutdown') throw notSimulated(`the guest power action ${query.get('action')}`);
      inventory.require(user, 'VirtualMachine.Interact.PowerOff');
      inventory.machine(id).askToShutDown(inventory.options.shutdownMs ?? 0);
    },
  ],
  [
    'POST',
    /^\/vcenter\/vm\/([^/]+)\/hardware\/ethernet\/([^/]+)$/,
    ({ inventory, user, params: [id = '', nic = ''], query }) => {
      const action = query.get('action');
      if (action !== 'connect' && action !== 'disconnect') throw notSimulated(`the adapter action ${action}`);
      inventory.require(user, 'VirtualMachine.Interact.DeviceConnection');
      inventory.machine(id).setLink(nic, action === 'connect');
    },
  ],
  [
    'PATCH',
    /^\/vcenter\/vm\/([^/]+)\/hardware\/ethernet\/([^/]+)$/,
    ({ inventory, user, params: [id = '', nic = ''], body }) => {
      inventory.require(user, 'VirtualMachine.Config.EditDevice');
      const { start_connected: startConnected } = body(z.strictObject({ start_connected: z.boolean() }));
      inventory.machine(id).nic(nic).startConnected = startConnected;
    },
  ],
  [
    'GET',
    /^\/vcenter\/host$/,
    ({ inventory }) =>
      inventory.options.hosts.map(({ id, name }) => ({
        ...{ host: id, name, connection_state: 'CONNECTED', power_state: 'POWERED_ON' },
      })),
  ],
  [
    'POST',
    /^\/content\/library$/,
    ({ inventory, query, body }) => {
      if (query.get('action') !== 'find') throw notSimulated('anything but finding libraries');
      const { name } = body(Find);
      return (inventory.options.libraries ?? []).flatMap((library) =>
        sameName(library.name, name) ? [library.id] : [],
      );
    },
  ],
  [
    'POST',
    /^\/content\/library\/item$/,
    ({ inventory, query, body }) => {
      if (query.get('action') !== 'find') throw notSimulated('anything but finding library items');
      const { name, library_id: libraryId } = body(Find);
      return (inventory.options.libraries ?? [])
        .filter(({ id }) => libraryId === undefined || id === libraryId)
        .flatMap(({ items }) => items.flatMap((item) => (sameName(item.name, name) ? [item.id] : [])));
    },
  ],
  [
    'POST',
    /^\/vcenter\/ovf\/library-item\/([^/]+)$/,
    ({ inventory, user, params: [id = ''], query, clientToken, body }) => {
      if (query.get('action') !== 'deploy') throw notSimulated(`the OVF action ${query.get('action')}`);
      inventory.require(user, 'VApp.Import', 'Datastore.AllocateSpace', 'Network.Assign');
      const { target, deployment_spec: spec } = body(Deploy);
      inventory.declared('resourcePools', target.resource_pool_id);
      if (target.folder_id !== undefined) inventory.declared('folders', target.folder_id);
      if (spec.default_datastore_id !== undefined) inventory.declared('datastores', spec.default_datastore_id);
      for (const network of Object.values(spec.network_mappings)) inventory.declared('networks', network);
      const vm = inventory.deploy(inventory.item(id), clientToken, spec);
      return { succeeded: true, resource_id: { type: 'VirtualMachine', id: vm } };
    },
  ],
];

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
