// Managed disks and snapshots: made by importing a fixed VHD, by copying, or empty.
// https://learn.microsoft.com/rest/api/compute/disks/create-or-update
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest, conflict, notFound, notSimulated } from '../http/errors.ts';
import { guidOf, keyOf, lastName } from '../ids.ts';
import { type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { deletable, heading, provisioning, readable, requireGroup, tracked } from './common.ts';
import { diskAccess } from './diskAccess.ts';
import { diskType, snapshotType, stateOf, uniqueId } from './diskState.ts';

const gibibyte = 1024 ** 3;

const diskBody = z.looseObject({
  ...tracked,
  sku: z.looseObject({ name: z.string() }).optional(),
  properties: z.looseObject({
    osType: z.enum(['Linux', 'Windows']).optional(),
    diskSizeGB: z.number().int().positive().max(32_767).optional(),
    creationData: z.looseObject({
      createOption: z.string(),
      sourceUri: z.string().optional(),
      storageAccountId: z.string().optional(),
      sourceResourceId: z.string().optional(),
    }),
  }),
});
type CreationData = z.output<typeof diskBody>['properties']['creationData'];

export function disksProvider(kernel: Kernel): ResourceType[] {
  return [diskLike(kernel, diskType, ['Import', 'Copy', 'Empty']), diskLike(kernel, snapshotType, ['Copy'])];
}

function diskLike(kernel: Kernel, type: string, options: readonly string[]): ResourceType {
  const { store, operations, disks } = kernel;

  operations.define(`make ${type}`, {
    async run(input, target) {
      const disk = store.get(target);
      if (!disk) throw notFound(`The disk ${target} was deleted while it was made.`);
      const bytes = await content(disk, String(input.createOption));
      const properties = {
        diskSizeBytes: bytes,
        diskSizeGB: Math.ceil(bytes / gibibyte),
        provisioningState: 'Succeeded',
      };
      return () => void store.change(target, { ...properties, diskState: 'Unattached' });
    },
    failed: (_, target) => void store.change(target, { provisioningState: 'Failed' }),
  });

  function content(disk: Resource, createOption: string): Promise<number> {
    const id = uniqueId(disk);
    if (createOption === 'Import') return disks.import(id, String(disk.hidden.sourceUri));
    if (createOption === 'Empty') return disks.empty(id, Number(part(disk.body, 'properties').diskSizeGB) * gibibyte);
    const source = store.get(text(part(part(disk.body, 'properties'), 'creationData'), 'sourceResourceId') ?? '');
    if (!source) throw notFound('The source of the copy was deleted while it was copied.');
    return disks.copy(id, uniqueId(source));
  }

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(diskBody, request.body);
    const { creationData } = body.properties;
    if (!options.includes(creationData.createOption)) {
      throw notSimulated(
        `${type} with createOption '${creationData.createOption}' is not simulated; ${options.join(', ')} are.`,
      );
    }
    const before = store.get(request.target.path);
    if (before && provisioning(before) === 'Deleting')
      throw conflict('OperationNotAllowed', `${lastName(before.id)} is being deleted.`);
    checkSource(kernel, request, creationData, body.properties.diskSizeGB);
    if (before && provisioning(before) !== 'Failed') {
      refuseOtherSource(before, creationData);
      const properties = part(before.body, 'properties');
      const stored = store.put(before.id, type, { ...before.body, ...heading(request, type, body), properties });
      const running = operations.join(request, `make ${type}`, before.id, { status: 202, body: stored.body });
      return running ?? { status: 200, body: stored.body };
    }
    const id = before?.id ?? request.target.path;
    const properties = {
      ...body.properties,
      creationData: shown(creationData),
      uniqueId: before ? uniqueId(before) : guidOf(`${id} ${Date.now()} ${Math.random()}`),
      diskState: 'Unattached',
      timeCreated: new Date().toISOString(),
      provisioningState: 'Updating',
    };
    const sku = { name: body.sku?.name ?? 'Standard_LRS' };
    const hidden = { sourceUri: creationData.sourceUri };
    const stored = store.put(id, type, { ...heading(request, type, body), sku, properties }, hidden);
    const { createOption } = creationData;
    return operations.accept(request, `make ${type}`, id, { createOption }, { status: 202, body: stored.body });
  };

  return {
    ...readable(kernel, type),
    put,
    delete: deletable(kernel, type, guardDeletion),
    actions: diskAccess(kernel, type),
    dispose: async (disk) => disks.remove(uniqueId(disk)),
  };
}

/** The source must exist and be the caller's to read. */
function checkSource(kernel: Kernel, request: ArmRequest, data: CreationData, diskSizeGB: number | undefined): void {
  if (data.createOption === 'Empty' && !diskSizeGB)
    throw badRequest('InvalidParameter', "Required parameter 'diskSizeGB' is missing (null).");
  if (data.createOption === 'Import') {
    if (!data.sourceUri)
      throw badRequest('InvalidParameter', "Required parameter 'creationData.sourceUri' is missing (null).");
    if (!data.storageAccountId)
      throw badRequest('InvalidParameter', "Required parameter 'creationData.storageAccountId' is missing (null).");
    if (!kernel.store.get(data.storageAccountId)) {
      throw notFound(`The storage account '${data.storageAccountId}' was not found.`, 'ResourceNotFound');
    }
  }
  if (data.createOption !== 'Copy') return;
  const source = kernel.store.get(data.sourceResourceId ?? '');
  if (!source) throw notFound(`Resource ${data.sourceResourceId} is not found.`, 'ResourceNotFound');
  const action = `${source.type}/beginGetAccess/action`;
  kernel.access.demandLinked(request.caller, { action: request.action, scope: request.target.path }, action, source.id);
  if (provisioning(source) !== 'Succeeded')
    throw conflict('ConflictingUserInput', `The source ${source.id} is not ready.`);
}

function refuseOtherSource(disk: Resource, data: CreationData): void {
  const before = part(part(disk.body, 'properties'), 'creationData');
  const now: Json = shown(data);
  for (const name of ['createOption', 'sourceUri', 'sourceResourceId']) {
    if (keyOf(String(before[name] ?? '')) !== keyOf(String(now[name] ?? ''))) {
      throw conflict('PropertyChangeNotAllowed', `Changing property 'creationData.${name}' is not allowed.`);
    }
  }
}

/** Source addresses are shown without their SAS. */
const shown = (data: CreationData): CreationData =>
  data.sourceUri ? { ...data, sourceUri: data.sourceUri.split('?')[0] } : data;

function guardDeletion(disk: Resource): void {
  const owner = text(disk.body, 'managedBy');
  if (owner) throw conflict('OperationNotAllowed', `Disk ${lastName(disk.id)} is attached to VM ${owner}.`);
  if (stateOf(disk) === 'ActiveSAS') {
    throw conflict(
      'OperationNotAllowed',
      `There is an active shared access signature outstanding for disk ${lastName(disk.id)}. Call EndGetAccess before deleting the disk.`,
    );
  }
}
