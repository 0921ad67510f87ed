import { z } from 'zod';
import { ArmId, Id, ReachableUrl } from './ids.ts';
import { Settings } from './settings.ts';
import { Weekly } from './weekly.ts';
import { Freeze } from './window.ts';

const PrincipalId = z.guid();
const AtOnce = z.int().min(1).max(10_000);

/** A site on the source's side; its worker (step 3) is started through `host`. */
export const Site = z.strictObject({
  id: Id,
  host: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('lab'), endpoint: ReachableUrl }),
    z.strictObject({ kind: z.literal('byHand') }),
    z
      .strictObject({
        kind: z.literal('vsphere'),
        connection: Id.describe('a name in the setting LANDFALL_HOSTS'),
        library: z.string().min(1).max(80),
        item: z.string().min(1).max(80).describe('the worker’s OVF in that content library'),
        resourcePool: z.string().regex(/^resgroup-\d+$/),
        folder: z
          .string()
          .regex(/^group-v\d+$/)
          .optional(),
        datastore: z
          .string()
          .regex(/^datastore-\d+$/)
          .optional(),
        networks: z
          .record(z.string().min(1).max(80), z.string().regex(/^(network|dvportgroup)-\d+$/))
          .default({})
          .describe('networks of the OVF, and those of vCenter that they become'),
      })
      .describe('a vCenter in which the worker is made of an item of a content library'),
  ]),
});
export type Site = z.infer<typeof Site>;

const Megabits = z.number().positive().max(1_000_000);

/** A line from sites into Azure: how many syncs it bears at once, and how fast they may send together. */
export const Link = z
  .strictObject({
    id: Id,
    sites: z.array(Id).min(1).max(50),
    syncs: z.int().min(1).max(1000).optional(),
    megabitsPerSecond: Megabits.optional().describe('at all times that `hours` do not name; without limit if absent'),
    hours: z
      .array(Weekly.extend({ megabitsPerSecond: Megabits }))
      .max(50)
      .default([]),
  })
  .refine(
    ({ syncs, megabitsPerSecond, hours }) =>
      syncs !== undefined || (megabitsPerSecond === undefined && hours.length === 0),
    {
      path: ['syncs'],
      message: 'a line with a bandwidth needs it: each of so many syncs gets its share',
    },
  );
export type Link = z.infer<typeof Link>;

/** Subscription, network, staging storage and identities into which sources land. */
export const Environment = z.strictObject({
  id: Id,
  subscriptionId: z.guid(),
  resourceGroup: z.string().regex(/^[-\w._()]{1,90}$/),
  region: z.string().regex(/^[a-z0-9]{2,40}$/),
  staging: z.strictObject({ accountId: ArmId, container: z.string().regex(/^[a-z0-9](?:-?[a-z0-9]){2,62}$/) }),
  appliance: z.strictObject({ imageId: ArmId, vmSize: z.string().min(1).max(64), subnetId: ArmId }),
  identities: z
    .strictObject({ replication: PrincipalId, cutover: PrincipalId })
    .describe('principal ids that step 1 grants roles to'),
  sites: z.array(Site).max(50),
  links: z.array(Link).max(50).default([]),
  budgets: z
    .strictObject({
      applianceSyncs: AtOnce,
      applianceDisks: AtOnce,
      hypervisorDisks: AtOnce,
      datastoreSnapshots: AtOnce,
      siteSyncs: AtOnce,
      subscriptionSyncs: AtOnce,
    })
    .partial()
    .optional()
    .describe('how much runs at once; what is left out is the published limit of Azure Migrate'),
  calendars: z.array(Id).max(20).default([]).describe('blackout calendars that every wave keeps'),
  freezes: z.array(Freeze).max(50).default([]),
  scripts: z.boolean().optional().describe('whether plans may run scripts, as root, on targets'),
  settings: Settings.optional(),
});
export type Environment = z.infer<typeof Environment>;

export const Profile = z.strictObject({ id: Id, description: z.string().max(500).optional(), settings: Settings });
export type Profile = z.infer<typeof Profile>;
