// Appliances over HTTPS: enrol with a one-time token, renew access to the bus, fetch access to one staging blob. They
// prove who they are by their own key; no person's token is involved.
import { timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import type { JWK } from 'jose';
import type { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { Config } from '../../shared/config.ts';
import { hashOfToken } from '../../shared/hash.ts';
import { stagingBlobName } from '../../shared/model/plan.ts';
import {
  BlobAccess,
  BlobAccessClaims,
  EnrolmentAnswer,
  EnrolmentRequest,
  SignedRequest,
} from '../../shared/protocol/enrolment.ts';
import { verifyRequest } from '../../shared/protocol/signing.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';
import { readStrangersBody } from './body.ts';
import { problemsOf, Refused, refuse } from './problem.ts';
import { json, type Route } from './route.ts';

const blobAccessHours = 4;

export const enrolmentRoutes: Route[] = [
  {
    name: 'appliancesEnrol',
    method: 'POST',
    path: 'appliances/enrol',
    allowed: 'anyone',
    async handle({ capabilities, request }) {
      const asked = await readStrangersBody(request, EnrolmentRequest);
      const { applianceId, environmentId } = await enrol(capabilities, asked);
      const { config, bus } = capabilities;
      const answer: EnrolmentAnswer = {
        applianceId,
        environmentId,
        platformKey: publicHalf(config.LANDFALL_SIGNING_KEY),
        heartbeatSeconds: config.LANDFALL_HEARTBEAT_SECONDS,
        bus: bus.accessFor(applianceId),
      };
      return json(EnrolmentAnswer.parse(answer), 201);
    },
  },
  {
    name: 'appliancesTokens',
    method: 'POST',
    path: 'appliances/{id}/tokens',
    allowed: 'anyone',
    async handle({ capabilities, request, param }) {
      const { purpose } = await signedBy(capabilities, param('id'), request);
      if (purpose !== 'busTokens') throw refuse('invalidInput', 'The signed request does not ask for bus tokens.');
      return json(capabilities.bus.accessFor(param('id')));
    },
  },
  {
    name: 'appliancesBlobAccess',
    method: 'POST',
    path: 'appliances/{id}/blob-access',
    allowed: 'anyone',
    async handle({ capabilities, request, param }) {
      const claims = await signedBy(capabilities, param('id'), request);
      const asked = BlobAccessClaims.safeParse(claims);
      if (!asked.success)
        throw refuse(
          'invalidInput',
          'The signed request does not ask for a blob.',
          problemsOf(asked.error, claims, new Set()),
        );
      return json(await blobAccess(capabilities, param('id'), asked.data));
    },
  },
];

async function enrol({ store, bus, now }: Capabilities, asked: EnrolmentRequest): Promise<ApplianceDocument> {
  const hash = hashOfToken(asked.token);
  // Every awaited appliance is compared, so that the time taken tells nothing about the token.
  const matching = (await store.appliances.list()).filter(({ tokenHash }) => sameHash(tokenHash, hash));
  const appliance = matching[0];
  if (appliance === undefined) throw notAccepted();
  await bus.ensureSubscription(appliance.applianceId);
  return store.appliances.change(appliance.applianceId, (current) => {
    // Whoever asks again with the same key has not heard the answer: until its first heartbeat it gets it once more.
    const usable =
      (current.status === 'awaited' ||
        (current.status === 'enrolled' && sameKey(current.publicKey, asked.publicKey))) &&
      sameHash(current.tokenHash, hash) &&
      Date.parse(current.tokenExpiresAt ?? '') > Date.parse(now());
    if (!usable || current.applianceKind !== asked.kind) throw notAccepted();
    const { bootId: _bootId, heardAt: _heardAt, ...rest } = current;
    return { ...rest, status: 'enrolled', publicKey: asked.publicKey, version: asked.version, enrolledAt: now() };
  });
}

/** One answer for unknown, used and expired tokens: nothing to learn from it. */
const notAccepted = () =>
  new Refused({
    status: 403,
    code: 'forbidden',
    title: 'Not allowed',
    detail:
      'The one-time token is unknown, used, expired or for another kind of appliance. Register the appliance again.',
  });

function sameKey(known: JWK | undefined, asked: EnrolmentRequest['publicKey']): boolean {
  return known?.x === asked.x && known.crv === asked.crv;
}

function sameHash(a: string | undefined, b: string): boolean {
  const [left, right] = [Buffer.from(a ?? ''), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The claims of a request that the appliance has signed with its own key. */
export async function signedBy(
  { store }: Capabilities,
  applianceId: string,
  request: HttpRequest,
): Promise<Record<string, unknown>> {
  const { request: jwt } = await readStrangersBody(request, SignedRequest);
  const appliance = await store.appliances.get(applianceId);
  if (appliance?.status === 'revoked') throw refuse('forbidden', 'This appliance is revoked.');
  if (appliance?.publicKey === undefined) throw refuse('unauthenticated', 'No such appliance is enrolled.');
  try {
    return await verifyRequest(jwt, applianceId, appliance.publicKey as JWK);
  } catch {
    throw refuse(
      'unauthenticated',
      'The signed request is not accepted: signature, subject, audience or age is wrong.',
    );
  }
}

async function blobAccess(
  { store, azure }: Capabilities,
  applianceId: string,
  asked: z.infer<typeof BlobAccessClaims>,
): Promise<BlobAccess> {
  const { waveId, workloadId, diskId, syncId } = asked;
  const workload = await store.workloads.get(waveId, workloadId);
  // Also for workloads that do not exist: an appliance learns nothing about what is not its own.
  if (workload?.plan.applianceId !== applianceId)
    throw refuse('forbidden', 'This workload is not assigned to this appliance.');
  const { plan, state } = workload;
  const inFlight = (state.sync.status === 'running' || state.sync.status === 'stalled') && state.sync.syncId === syncId;
  if (!inFlight) throw refuse('conflict', `Sync ${syncId} is not in flight; it may have been withdrawn.`);
  if (!plan.source.disks.some(({ id }) => id === diskId))
    throw refuse('forbidden', `The plan has no disk "${diskId}".`);
  const environment = await store.environments.get(plan.environmentId);
  if (environment === undefined) throw refuse('notFound', `There is no environment "${plan.environmentId}".`);
  return BlobAccess.parse(await azure.staging.writeAccess(environment, stagingBlobName(plan, diskId), blobAccessHours));
}

function publicHalf(key: Config['LANDFALL_SIGNING_KEY']): EnrolmentAnswer['platformKey'] {
  const { kty, crv, x, y } = key;
  return EnrolmentAnswer.shape.platformKey.parse({ kty, crv, x, y });
}
