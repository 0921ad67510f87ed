import { z } from 'zod';
import { ArmId, Id, ReachableUrl } from './ids.ts';
import { Settings } from './settings.ts';
import { Freeze } from './window.ts';

const PrincipalId = z.guid();
const AtOnce = z.int().min(1).max(10_000);

/** A site on the source's side; its worker (step 3) is started through `host`. */
export const Site = z.strictObject({
  id: Id,
  host: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('lab'), endpoint: ReachableUrl }),
    z.strictObject({ kind: z.literal('byHand') }),
  ]),
});
export type Site = z.infer<typeof Site>;

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
  links: z
    .array(z.strictObject({ id: Id, sites: z.array(Id).min(1).max(50), syncs: z.int().min(1).max(1000).optional() }))
    .max(50)
    .default([])
    .describe('lines from sites into Azure, and how many syncs each bears at once'),
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
  settings: Settings.optional(),
});
export type Environment = z.infer<typeof Environment>;

export const Profile = z.strictObject({ id: Id, description: z.string().max(500).optional(), settings: Settings });
export type Profile = z.infer<typeof Profile>;
