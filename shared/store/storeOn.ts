// The store's repositories over seven containers, whoever keeps them.
import type { Calendar } from '../model/calendar.ts';
import type { Profile } from '../model/environment.ts';
import type { Source } from '../model/source.ts';
import type { Collection } from './collection.ts';
import type { Store } from './contract.ts';
import type { QuarantineDocument } from './documents.ts';
import { appliancesOn, environmentsOn } from './environments.ts';
import { planPartsOn } from './planParts.ts';
import { WaveJournal } from './waveJournal.ts';
import { signalsOn, wavesOn } from './waves.ts';
import { workloadsOn } from './workloads.ts';

/** Containers and the paths of their partition keys; infrastructure makes them, the app only uses them. */
export const containers = {
  workloads: ['/waveId', '/workloadId'],
  waves: ['/waveId'],
  environments: ['/environmentId'],
  sources: ['/id'],
  profiles: ['/id'],
  calendars: ['/id'],
  quarantine: ['/source'],
} as const;
export type ContainerName = keyof typeof containers;

/** One document per name: `{ id, kind, value }`. */
function named<T extends { id: string }>(collection: Collection, kind: string) {
  type Document = { id: string; kind: string; value: T };
  return {
    get: async (id: string): Promise<T | undefined> => (await collection.read<Document>([id], id))?.value.value,
    list: async (): Promise<T[]> => (await collection.query<Document>({ kind })).map(({ value }) => value),
    put: async (value: T): Promise<void> => {
      const document: Document = { id: value.id, kind, value };
      await collection.put([value.id], document);
    },
  };
}

export function storeOn(of: Record<ContainerName, Collection>, now = () => new Date().toISOString()): Store {
  const workloads = workloadsOn(of.workloads);
  const journal = new WaveJournal(of.waves, now);
  return {
    environments: environmentsOn(of.environments),
    profiles: named<Profile>(of.profiles, 'profile'),
    calendars: named<Calendar>(of.calendars, 'calendar'),
    sources: named<Source>(of.sources, 'source'),
    ...wavesOn(of.waves, journal),
    plans: planPartsOn(of.waves),
    journal,
    workloads,
    appliances: appliancesOn(of.environments),
    signals: signalsOn(of.waves, of.environments),
    quarantine: {
      put: (document) => of.quarantine.put([document.source], document),
      list: (limit) =>
        of.quarantine.query<QuarantineDocument>({
          kind: 'quarantine',
          orderBy: { path: 'receivedAt', descending: true },
          limit,
        }),
      async get(id) {
        const [found] = await of.quarantine.query<QuarantineDocument>({
          kind: 'quarantine',
          anyOf: [{ path: 'id', values: [id] }],
        });
        return found;
      },
    },
  };
}
