// The part of the Virtual Infrastructure JSON API that is simulated, below /sdk/vim25/{release}.
// https://developer.broadcom.com/xapis/virtual-infrastructure-json-api/latest/
import { z } from 'zod';
import type { Route } from './automation.ts';
import { invalid, notSimulated } from './contract.ts';
import type { Inventory } from './inventory.ts';
import type { Machine, Snapshot } from './machine.ts';

export const reference = (type: string, value: string) => ({ _typeName: 'ManagedObjectReference', type, value });

const Reference = z.strictObject({
  _typeName: z.literal('ManagedObjectReference').optional(),
  type: z.string(),
  value: z.string(),
});
const CreateSnapshot = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(''),
  memory: z.boolean(),
  quiesce: z.boolean(),
});
const RemoveSnapshot = z.strictObject({ removeChildren: z.boolean(), consolidate: z.boolean().optional() });
const Reconfigure = z.strictObject({
  spec: z.strictObject({
    _typeName: z.literal('VirtualMachineConfigSpec').optional(),
    extraConfig: z.array(
      z.strictObject({
        _typeName: z.literal('OptionValue').optional(),
        key: z.string(),
        value: z.strictObject({ _typeName: z.literal('string'), _value: z.string() }),
      }),
    ),
  }),
});
const Changes = z.strictObject({
  snapshot: Reference.optional(),
  deviceKey: z.int(),
  startOffset: z.int().nonnegative(),
  changeId: z.string(),
});
const Privileges = z.strictObject({
  entity: z.array(Reference),
  sessionId: z.string(),
  privId: z.array(z.string()).default([]),
});

export const vimRoutes: Route[] = [
  [
    'GET',
    /^\/Task\/([^/]+)\/info$/,
    ({ inventory, params: [id = ''] }) => {
      const { state, result, failure } = inventory.task(id);
      return {
        ...{ _typeName: 'TaskInfo', key: id, task: reference('Task', id), state, cancelled: false, cancelable: false },
        ...(result === undefined ? {} : { result }),
        ...(failure === undefined
          ? {}
          : { error: { fault: { _typeName: failure.fault }, localizedMessage: failure.message } }),
      };
    },
  ],
  [
    'GET',
    /^\/VirtualMachine\/([^/]+)\/snapshot$/,
    ({ inventory, params: [id = ''] }) => {
      const machine = inventory.machine(id);
      const current = machine.allSnapshots().at(-1);
      if (current === undefined) return undefined;
      return {
        _typeName: 'VirtualMachineSnapshotInfo',
        currentSnapshot: reference('VirtualMachineSnapshot', current.id),
        rootSnapshotList: machine.snapshots.map((snapshot) => treeOf(machine, snapshot)),
      };
    },
  ],
  ['GET', /^\/VirtualMachine\/([^/]+)\/config$/, ({ inventory, params: [id = ''] }) => configOf(inventory.machine(id))],
  [
    'GET',
    /^\/VirtualMachineSnapshot\/([^/]+)\/config$/,
    ({ inventory, params: [id = ''] }) => {
      const { machine, snapshot } = inventory.snapshot(id);
      return configOf(machine, snapshot);
    },
  ],
  [
    'POST',
    /^\/VirtualMachine\/([^/]+)\/CreateSnapshot_Task$/,
    ({ inventory, user, params: [id = ''], body }) => {
      inventory.require(user, 'VirtualMachine.State.CreateSnapshot');
      const machine = inventory.machine(id);
      const wanted = body(CreateSnapshot);
      return taskOf(inventory, () => reference('VirtualMachineSnapshot', inventory.takeSnapshot(machine, wanted)));
    },
  ],
  [
    'POST',
    /^\/VirtualMachineSnapshot\/([^/]+)\/RemoveSnapshot_Task$/,
    ({ inventory, user, params: [id = ''], body }) => {
      inventory.require(user, 'VirtualMachine.State.RemoveSnapshot');
      if (body(RemoveSnapshot).removeChildren) throw notSimulated('removing children of snapshots');
      inventory.snapshot(id);
      return taskOf(inventory, () => inventory.removeSnapshot(id));
    },
  ],
  [
    'POST',
    /^\/VirtualMachine\/([^/]+)\/ReconfigVM_Task$/,
    ({ inventory, user, params: [id = ''], body }) => {
      inventory.require(user, 'VirtualMachine.Config.AdvancedConfig');
      const machine = inventory.machine(id);
      const { extraConfig } = body(Reconfigure).spec;
      return taskOf(inventory, () => {
        for (const { key, value } of extraConfig) machine.extraConfig.set(key, value._value);
      });
    },
  ],
  [
    'POST',
    /^\/VirtualMachine\/([^/]+)\/QueryChangedDiskAreas$/,
    ({ inventory, user, params: [id = ''], body }) => {
      inventory.require(user, 'VirtualMachine.Provisioning.DiskRandomRead');
      const { snapshot, deviceKey, startOffset, changeId } = body(Changes);
      const machine = inventory.machine(id);
      const disk = machine.disks.get(deviceKey);
      if (disk === undefined || snapshot === undefined || startOffset >= disk.capacity)
        throw invalid('deviceKey, snapshot or startOffset');
      const [own, since] = [machine.changeId(deviceKey)?.split('/')[0], changeId.split('/')];
      if (own === undefined || own !== since[0]) throw invalid(`the change id ${changeId} is not of this disk`);
      const until = inventory.snapshot(snapshot.value).snapshot.marks.get(deviceKey);
      const length = Math.min(inventory.options.changesPerAnswer ?? disk.capacity, disk.capacity - startOffset);
      const changedArea = disk.writes
        .slice(Number(since[1]), until)
        .filter(({ start }) => start >= startOffset && start < startOffset + length)
        .toSorted((a, b) => a.start - b.start);
      return { _typeName: 'DiskChangeInfo', startOffset, length, changedArea };
    },
  ],
  [
    'POST',
    /^\/AuthorizationManager\/AuthorizationManager\/HasPrivilegeOnEntities$/,
    ({ inventory, user, sessionKey, body }) => {
      const { entity, sessionId, privId } = body(Privileges);
      if (sessionId !== sessionKey) throw invalid('sessionId is no session’s key');
      return entity.map((one) => ({
        _typeName: 'EntityPrivilege',
        entity: one,
        privAvailability: privId.map((privilege) => ({
          ...{ _typeName: 'PrivilegeAvailability', privId: privilege, isGranted: inventory.has(user, privilege) },
        })),
      }));
    },
  ],
];

const taskOf = (inventory: Inventory, work: () => unknown) => reference('Task', inventory.begin(work));

function treeOf(machine: Machine, { id, name, description, createdAt, children }: Snapshot): object {
  return {
    ...{
      _typeName: 'VirtualMachineSnapshotTree',
      snapshot: reference('VirtualMachineSnapshot', id),
      name,
      description,
    },
    ...{ vm: reference('VirtualMachine', machine.id), createTime: createdAt, state: 'poweredOff', quiesced: false },
    childSnapshotList: children.map((child) => treeOf(machine, child)),
  };
}

function configOf(machine: Machine, snapshot?: Snapshot): object {
  const { name, annotation, changeTracking, disks } = machine;
  return {
    ...{ _typeName: 'VirtualMachineConfigInfo', name, annotation, changeTrackingEnabled: changeTracking },
    hardware: {
      _typeName: 'VirtualHardware',
      device: [
        { _typeName: 'VirtualPCIController', key: 100 },
        ...[...disks.values()].map(({ key, capacity, file }) => ({
          ...{ _typeName: 'VirtualDisk', key, capacityInBytes: capacity },
          backing: {
            ...{ _typeName: 'VirtualDiskFlatVer2BackingInfo', fileName: file, diskMode: 'persistent' },
            changeId: machine.changeId(key, snapshot),
          },
        })),
      ],
    },
  };
}
