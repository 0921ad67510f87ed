// Virtual machines: what a PUT accepts and how a machine holds on to its disks and interfaces.
// https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
import type { Handler, Kernel, ResourceType } from '../contract.ts';
import { conflict } from '../http/errors.ts';
import { guidOf, lastName } from '../ids.ts';
import { parse, part, text } from '../json.ts';
import { existing, heading, provisioning, readable, requireGroup } from './common.ts';
import { heldBy, hold, release, removeMachine } from './holdings.ts';
import { checkInterfaces, identityOf, machineBody, storageOf } from './machineBody.ts';
import { boot, definePower, instanceView, powerActions } from './power.ts';
import { checkQuota, machineType } from './quota.ts';

export function virtualMachines(kernel: Kernel): ResourceType {
  const { store, operations } = kernel;
  definePower(kernel);
  operations.define('create machine', {
    async run(_, target) {
      await boot(kernel, existing(kernel, target, machineType));
      return () => void store.change(target, { provisioningState: 'Succeeded' }, { power: 'running', failure: null });
    },
    failed: (_, target, { code, message }) =>
      void store.change(target, { provisioningState: 'Failed' }, { power: 'stopped', failure: { code, message } }),
  });
  operations.define('delete machine', {
    async run(_, target) {
      const machine = store.get(target);
      if (!machine) return () => undefined;
      await kernel.dispose(machine);
      const going = heldBy(machine).filter(({ deleteOption }) => deleteOption === 'Delete');
      for (const { id } of going) {
        const held = store.get(id);
        if (held) await kernel.dispose(held);
      }
      return () => removeMachine(kernel, machine);
    },
  });

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(machineBody, request.body);
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    if (before && provisioning(before) === 'Deleting')
      throw conflict('OperationNotAllowed', `The VM '${lastName(id)}' is being deleted.`);
    const head = heading(request, machineType, body);
    checkQuota(
      kernel,
      request.target.subscriptionId,
      String(head.location),
      id,
      body.properties.hardwareProfile.vmSize,
    );
    const storageProfile = storageOf(kernel, request, id, body, before);
    checkInterfaces(kernel, request, id, body);
    const { osProfile, ...rest } = body.properties;
    const { customData, adminPassword: _, ...shownProfile } = osProfile ?? {};
    const keep = before && provisioning(before) === 'Succeeded';
    const properties = {
      ...rest,
      storageProfile,
      ...(osProfile && { osProfile: shownProfile }),
      vmId: text(part(before?.body, 'properties'), 'vmId') ?? guidOf(`vm ${id} ${Date.now()}`),
      timeCreated: text(part(before?.body, 'properties'), 'timeCreated') ?? new Date().toISOString(),
      provisioningState: keep ? 'Updating' : 'Creating',
    };
    const hidden = before?.hidden ?? { power: 'stopped', customData };
    if (before) release(kernel, before);
    const stored = store.put(id, machineType, { ...head, ...identityOf(kernel, id, body), properties }, hidden);
    hold(kernel, stored);
    const status = before ? 200 : 201;
    return operations.accept(
      request,
      keep ? 'settle' : 'create machine',
      id,
      {},
      { status, body: stored.body, headers: 'azure-asyncoperation' },
    );
  };

  const base = readable(kernel, machineType);
  return {
    ...base,
    put,
    get(request) {
      const machine = existing(kernel, request.target.path, machineType);
      if (request.query.get('$expand')?.toLowerCase() !== 'instanceview') return { status: 200, body: machine.body };
      return {
        status: 200,
        body: {
          ...machine.body,
          properties: { ...part(machine.body, 'properties'), instanceView: instanceView(machine) },
        },
      };
    },
    delete(request) {
      const machine = store.get(request.target.path);
      if (!machine) return { status: 204 };
      store.change(machine.id, { provisioningState: 'Deleting' });
      return operations.accept(request, 'delete machine', machine.id, {}, { status: 202 });
    },
    actions: powerActions(kernel),
    views: {
      instanceview: ({ target }) => ({
        status: 200,
        body: instanceView(existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), machineType)),
      }),
    },
    async dispose(machine) {
      await kernel.machines.stop(machine.id);
      kernel.machines.forget(machine.id);
    },
  };
}
