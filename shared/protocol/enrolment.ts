// What an appliance and the platform say to each other over HTTPS: enrolment, token renewal, access to a staging blob.
import { z } from 'zod';
import { Id, Instant } from '../model/ids.ts';

const PublicKey = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

/** POST /api/appliances/enrol */
export const EnrolmentRequest = z.strictObject({
  token: z.string().min(20).max(200).describe('the one-time token that the platform issued for this appliance'),
  publicKey: PublicKey,
  kind: z.enum(['target', 'worker', 'agent']),
  version: z.string().max(40),
  hostName: z.string().max(253),
});
export type EnrolmentRequest = z.infer<typeof EnrolmentRequest>;

/** Names of the appliance's entities and SAS tokens for exactly these. */
export const BusAccess = z.strictObject({
  host: z.string().describe('the namespace’s host name, with a port where it is not the standard one'),
  eventsQueue: z.string(),
  eventsToken: z.string().describe('SharedAccessSignature …: send on the events queue'),
  commandsTopic: z.string(),
  commandsSubscription: z.string(),
  commandsToken: z.string().describe('SharedAccessSignature …: listen on this appliance’s subscription'),
  expiresAt: Instant,
});
export type BusAccess = z.infer<typeof BusAccess>;

export const EnrolmentAnswer = z.strictObject({
  applianceId: Id,
  environmentId: Id,
  platformKey: z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  heartbeatSeconds: z.number().positive(),
  bus: BusAccess,
});
export type EnrolmentAnswer = z.infer<typeof EnrolmentAnswer>;

/** Body of POST /api/appliances/{id}/tokens and /api/appliances/{id}/blob-access: one JWT signed by the appliance. */
export const SignedRequest = z.strictObject({ request: z.string().min(20).max(8192) });

/** Claims of a blob-access request. */
export const BlobAccessClaims = z.looseObject({
  purpose: z.literal('blobAccess'),
  waveId: Id,
  workloadId: Id,
  diskId: Id,
  syncId: z.string().max(120),
});

export const BlobAccess = z.strictObject({
  url: z.url().describe('the staging page blob with a SAS: read and write, this blob only'),
  expiresAt: Instant,
});
export type BlobAccess = z.infer<typeof BlobAccess>;

/** What an appliance reads at first start, from custom data or from the file that the installer writes. */
export const Bootstrap = z.strictObject({
  enrolUrl: z.url(),
  token: z.string(),
  kind: z.enum(['target', 'worker', 'agent']),
});
export type Bootstrap = z.infer<typeof Bootstrap>;
