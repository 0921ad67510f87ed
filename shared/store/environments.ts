// Environments with their leases and appliances. One partition per environment.
import { terminal } from '../errors.ts';
import { type Collection, changeDocument } from './collection.ts';
import type { Store } from './contract.ts';
import type { ApplianceDocument, EnvironmentDocument, GrantsDocument, LeaseDocument } from './documents.ts';

const applianceDocumentId = (applianceId: string): string => `appliance.${applianceId}`;

export function environmentsOn(collection: Collection): Store['environments'] {
  return {
    async get(id) {
      return (await collection.read<EnvironmentDocument>([id], 'environment'))?.value.environment;
    },
    async list() {
      return (await collection.query<EnvironmentDocument>({ kind: 'environment' })).map(
        ({ environment }) => environment,
      );
    },
    async put(environment) {
      const document: EnvironmentDocument = {
        id: 'environment',
        kind: 'environment',
        environmentId: environment.id,
        environment,
      };
      await collection.put([environment.id], document);
    },
    async lease(environmentId, waveId, at) {
      const document: LeaseDocument = { id: `lease.${waveId}`, kind: 'lease', environmentId, waveId, since: at };
      await collection.create([environmentId], document);
    },
    async holders(environmentId) {
      const leases = await collection.query<LeaseDocument>({ kind: 'lease', key: [environmentId] });
      return leases.map(({ waveId }) => waveId).sort();
    },
    async release(environmentId, waveId) {
      await collection.remove([environmentId], `lease.${waveId}`);
      return (await collection.query<LeaseDocument>({ kind: 'lease', key: [environmentId] })).length;
    },
    hasGrants: async (environmentId) =>
      (await collection.read<GrantsDocument>([environmentId], 'grants')) !== undefined,
    async setGrants(environmentId, granted) {
      const document: GrantsDocument = { id: 'grants', kind: 'grants', environmentId };
      if (granted) await collection.put([environmentId], document);
      else await collection.remove([environmentId], 'grants');
    },
  };
}

export function appliancesOn(collection: Collection): Store['appliances'] {
  // Appliances are asked for by id alone, at every batch of events; where they live hardly ever changes.
  const homes = new Map<string, string>();
  const get = async (applianceId: string): Promise<ApplianceDocument | undefined> => {
    const home = homes.get(applianceId);
    const near =
      home === undefined
        ? undefined
        : await collection.read<ApplianceDocument>([home], applianceDocumentId(applianceId));
    if (near !== undefined) return near.value;
    homes.delete(applianceId);
    const [found] = await collection.query<ApplianceDocument>({
      kind: 'appliance',
      anyOf: [{ path: 'applianceId', values: [applianceId] }],
    });
    if (found !== undefined) homes.set(applianceId, found.environmentId);
    return found;
  };
  return {
    get,
    list: (environmentId) =>
      collection.query<ApplianceDocument>({
        kind: 'appliance',
        ...(environmentId === undefined ? {} : { key: [environmentId] }),
      }),
    create: async (appliance) => (await collection.create([appliance.environmentId], appliance)) === 'created',
    async put(appliance) {
      const before = await get(appliance.applianceId);
      if (before !== undefined && before.environmentId !== appliance.environmentId)
        await collection.remove([before.environmentId], before.id);
      await collection.put([appliance.environmentId], appliance);
      homes.set(appliance.applianceId, appliance.environmentId);
    },
    async change(applianceId, change) {
      const appliance = await get(applianceId);
      if (appliance === undefined) throw terminal('notFound', `There is no appliance ${applianceId}.`, 'Check its id.');
      return changeDocument<ApplianceDocument>(
        collection,
        [appliance.environmentId],
        appliance.id,
        `appliance ${applianceId}`,
        change,
      );
    },
    async remove(applianceId) {
      const appliance = await get(applianceId);
      if (appliance !== undefined) await collection.remove([appliance.environmentId], appliance.id);
      homes.delete(applianceId);
    },
  };
}
