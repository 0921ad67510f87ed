// The documents of the Cosmos containers, by container. Every one has an `id`, its partition key and a `kind`.
import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Head } from '../journal/chain.ts';
import type { WaveEntry } from '../journal/entry.ts';
import type { WorkloadEvent } from '../lifecycle/events.ts';
import type { Phase } from '../lifecycle/phases.ts';
import type { StepRecord, WorkloadState } from '../lifecycle/state.ts';
import { Answer, Asked } from '../model/attention.ts';
import { ControlSignal } from '../model/control.ts';
import { DecommissionStanding } from '../model/decommission.ts';
import { Environment } from '../model/environment.ts';
import { GateName, GatePolicy } from '../model/gate.ts';
import { Id, Instant } from '../model/ids.ts';
import { StoredPlan, type WorkloadPlan } from '../model/plan.ts';

// -- container `waves`, key /waveId ---------------------------------------------------------------------------------

export const waveStatuses = [
  'planned',
  'running',
  'attention',
  'committed',
  'incomplete',
  'rolledBack',
  'cancelled',
  'failed',
] as const;

export const GroupStatus = z.strictObject({
  status: z.enum([
    'planned',
    'preparing',
    'testing',
    'waiting',
    'cuttingOver',
    'validating',
    'committed',
    'incomplete',
    'rollingBack',
    'rolledBack',
    'held',
    'failed',
  ]),
  instanceId: z.string().optional(),
  reason: z.string().optional(),
  updatedAt: Instant,
});
export type GroupStatus = z.infer<typeof GroupStatus>;

/** Statuses that a group ends an attempt with: nothing of it runs any more. */
export const endedGroups: ReadonlySet<GroupStatus['status'] | undefined> = new Set([
  'committed',
  'incomplete',
  'rolledBack',
  'held',
  'failed',
]);

/** A workload's way from one wave to another. Until it is done, the wave that it leaves neither starts nor changes. */
export const Move = z.strictObject({
  id: z.string(),
  workloadId: Id,
  from: Id,
  to: Id,
  group: Id,
  by: z.string(),
  reason: z.string(),
  at: Instant,
  /** The versions that both waves had, and how often the other one had been started: once that is past, it will not come. */
  fromVersion: z.int(),
  toVersion: z.int(),
  toAttempt: z.int(),
});
export type Move = z.infer<typeof Move>;

/** Who made a version, and why; the first one is told by who created the wave. */
export const Revision = z.strictObject({
  version: z.int(),
  by: z.string(),
  at: Instant,
  reason: z.string(),
  move: Move.optional(),
});
export type Revision = z.infer<typeof Revision>;

/** An order to walk back that a group did not heed: it came too late to be free, and accepted no loss. */
const UnheededOrder = z.strictObject({
  orderId: z.string(),
  groupId: Id,
  attempt: z.int(),
  action: z.enum(['rollback', 'cancel']),
  by: z.string(),
  reason: z.string(),
  at: Instant,
  why: z.string(),
  wayOut: z.string(),
});
export type UnheededOrder = z.infer<typeof UnheededOrder>;

/** id `wave`: which plan it has, and where it stands. Nothing in it grows with the number of workloads. */
export const WaveDocument = z.strictObject({
  id: z.literal('wave'),
  kind: z.literal('wave'),
  waveId: Id,
  plan: StoredPlan,
  /** Whether every workload is registered with its plan; until then the wave does not start. */
  settled: z.boolean(),
  status: z.enum(waveStatuses),
  reason: z.string().optional(),
  createdBy: z.string(),
  createdAt: Instant,
  startedBy: z.string().optional(),
  /** The version of the orchestrations that carry this attempt. */
  codeVersion: z.string().optional(),
  startedAt: Instant.optional(),
  endedAt: Instant.optional(),
  /** How often it was started; part of child instance ids. */
  attempt: z.int().nonnegative(),
  groups: z.record(z.string(), GroupStatus),
  /** How the environment's steps (1-3) stand, by name; those of workloads are in their own state. */
  steps: z.record(z.string(), z.custom<StepRecord>()).optional(),
  /** The first order to withdraw all of it in an attempt: whoever writes the end has heard it. */
  withdrawal: z.strictObject({ attempt: z.int(), orderId: z.string() }).optional(),
  /** Orders that were not heeded, the latest: they are over. */
  unheeded: z.array(UnheededOrder).optional(),
  /** After commits: when people are asked next whether points and sources may go, and about whom they are asked now. */
  decommission: DecommissionStanding.optional(),
  /** Of the version that it has, from the second on. */
  revision: Revision.optional(),
  /** A workload that is about to leave for another wave. */
  moving: Move.optional(),
  /** Ids of moves to this wave that it did not take, the latest. */
  refused: z.array(z.string()).optional(),
});
export type WaveDocument = z.infer<typeof WaveDocument>;

/** id `version.{n}`: a version that others have followed; the one that holds is in the wave's document. */
export const VersionDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('version'),
  waveId: Id,
  version: z.int(),
  by: z.string(),
  at: Instant,
  reason: z.string().optional(),
  move: Move.optional(),
  plan: StoredPlan,
});
export type VersionDocument = z.infer<typeof VersionDocument>;

/** id `draft.{move id}`: what a wave becomes once a move is done. */
export const DraftDocument = VersionDocument.pick({ id: true, waveId: true, plan: true }).extend({
  kind: z.literal('draft'),
});
export type DraftDocument = z.infer<typeof DraftDocument>;

/** id `leaving`: who has been let go from their groups alone, in that attempt; others may only follow where somebody stays. */
export const LeavingDocument = z.strictObject({
  id: z.literal('leaving'),
  kind: z.literal('leaving'),
  waveId: Id,
  attempt: z.int(),
  workloadIds: z.array(Id),
});
export type LeavingDocument = z.infer<typeof LeavingDocument>;

const GateDecision = z.strictObject({
  by: z.string(),
  decision: z.enum(['approve', 'reject']),
  comment: z.string(),
  at: Instant,
  /** Only these; without them, all that were not decided then. */
  workloads: z.array(z.string()).optional(),
  /** Whose vote it was, if somebody else was asked to cast it. */
  onBehalfOf: z.string().optional(),
  /** What the policy says on expiry, where people have not decided. */
  byPolicy: z.boolean().optional(),
  acceptDataLoss: z.boolean().optional(),
});

/** id `gate.…`: a question to people, and their decisions. `operationId` addresses the waiting orchestration. */
export const GateDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('gate'),
  waveId: Id,
  /** The group that asks; a step of the environment has none. */
  groupId: Id.optional(),
  name: GateName,
  question: z.string(),
  /** What it asks about; none for a step of the environment. */
  workloadIds: z.array(Id).default([]),
  policy: GatePolicy,
  requester: z.string(),
  status: z.enum(['open', 'approved', 'rejected', 'expired', 'withdrawn']),
  openedAt: Instant,
  expiresAt: Instant.optional(),
  decisions: z.array(GateDecision),
  /** The workloads that are approved, once it is decided. */
  approved: z.array(Id).optional(),
  delegations: z
    .array(z.strictObject({ from: z.string(), to: z.string(), reason: z.string(), at: Instant }))
    .default([]),
  comments: z.array(z.strictObject({ by: z.string(), text: z.string(), at: Instant })).default([]),
  operationId: z.string(),
});
export type GateDocument = z.infer<typeof GateDocument>;

/** id `attention.{hash of the operation id}`: a step failed for good and waits for an answer, or a policy has given it. */
export const AttentionDocument = Asked.extend({
  id: z.string(),
  kind: z.literal('attention'),
  waveId: Id,
  step: z.string(),
  /** Empty when the whole environment's step failed. */
  workloadIds: z.array(Id),
  failure: Failure,
  status: z.enum(['open', 'answered', 'withdrawn']),
  answer: Answer.optional(),
  openedAt: Instant,
  operationId: z.string(),
});
export type AttentionDocument = z.infer<typeof AttentionDocument>;

/** id `control.{uuid}`: an order to orchestrations, of a person or a policy; the feed carries it out. */
export const ControlDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('control'),
  waveId: Id,
  /** The orchestration instances that it is for: some, or whatever runs of an attempt. */
  instanceIds: z.union([z.array(z.string()), z.strictObject({ allOfAttempt: z.int() })]),
  signal: ControlSignal,
  at: Instant,
});
export type ControlDocument = z.infer<typeof ControlDocument>;

/** id `journal`: where the wave's own journal ends. */
export interface JournalDocument {
  id: 'journal';
  kind: 'journal';
  waveId: string;
  head: Head;
}

/** id `entry.{entry id}`: an entry of the wave's own journal, never changed. `hash` covers it, its version and all before it. */
export interface EntryDocument extends Head {
  id: string;
  kind: 'entry';
  waveId: string;
  entry: WaveEntry;
  /** Its place among all entries of the wave: `placeOf`. */
  place: string;
}

// -- container `workloads`, hierarchical key /waveId, /workloadId ---------------------------------------------------

/** id `state`: plan and state of one workload; replaced with If-Match. */
export interface WorkloadDocument {
  id: 'state';
  kind: 'state';
  waveId: string;
  workloadId: string;
  plan: WorkloadPlan;
  state: WorkloadState;
  /** Where its journal ends; beside the state, which is the fold of the events and nothing else. */
  head: Head;
}

/**
 * id `event.{event id}`: deduplication key, audit record and outbox at once. `version` is its place in the order, `hash`
 * covers the event, the move and all before it.
 */
export interface EventDocument extends Head {
  id: string;
  kind: 'event';
  waveId: string;
  workloadId: string;
  event: WorkloadEvent;
  /** Its place among all entries of the wave: `placeOf`. */
  place: string;
  /** The phases before and after, where the event changed it. */
  moved?: { before: Phase; after: Phase } | undefined;
}

// -- container `environments`, key /environmentId -------------------------------------------------------------------

/** id `environment`. */
export const EnvironmentDocument = z.strictObject({
  id: z.literal('environment'),
  kind: z.literal('environment'),
  environmentId: Id,
  environment: Environment,
});
export type EnvironmentDocument = z.infer<typeof EnvironmentDocument>;

/** id `appliance.{applianceId}`: registered when its one-time token is issued, enrolled when it has come. */
export const ApplianceDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('appliance'),
  environmentId: Id,
  applianceId: Id,
  applianceKind: z.enum(['target', 'worker', 'agent']),
  status: z.enum(['awaited', 'enrolled', 'healthy', 'silent', 'revoked']),
  /** SHA-256 of the one-time token; gone once it is used. */
  tokenHash: z.string().optional(),
  tokenExpiresAt: Instant.optional(),
  publicKey: z.looseObject({ kty: z.string() }).optional(),
  version: z.string().optional(),
  bootId: z.string().optional(),
  enrolledAt: Instant.optional(),
  heardAt: Instant.optional(),
  /** People start it: until it has come, they may fetch a token for it. */
  byHand: z.boolean().optional(),
  /** Who has fetched the last one. */
  tokenFor: z.string().optional(),
  /** The target appliance that puts it there or takes it away over SSH, and the operation by which it was asked last. */
  push: z.strictObject({ by: Id, operationId: z.string(), credential: Id, host: z.string() }).optional(),
  /** Who waits for it: raised with the document when it becomes healthy. */
  operationId: z.string().optional(),
});
export type ApplianceDocument = z.infer<typeof ApplianceDocument>;

/** id `lease.{waveId}`: a wave that uses the environment; the last one to go removes what was made. */
export const LeaseDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('lease'),
  environmentId: Id,
  waveId: Id,
  since: Instant,
});
export type LeaseDocument = z.infer<typeof LeaseDocument>;

/** id `grants`: roles have been granted in the environment, or are about to be; gone once they are revoked. */
export const GrantsDocument = z.strictObject({ id: z.literal('grants'), kind: z.literal('grants'), environmentId: Id });
export type GrantsDocument = z.infer<typeof GrantsDocument>;

/** id `signal.{hash of the operation id}`, in `waves` or `environments`: created once, carried by the feed to the waiting orchestration. */
export const SignalDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('signal'),
  waveId: Id.optional(),
  environmentId: Id.optional(),
  operationId: z.string(),
  /** Tells signals with one address apart: what each was raised by. */
  cause: z.string().optional(),
  type: z.string(),
  data: z.unknown(),
  at: Instant,
});
export type SignalDocument = z.infer<typeof SignalDocument>;

// -- container `quarantine`, key /source ----------------------------------------------------------------------------

/** A message that could not be accepted, with the reason. */
export const QuarantineDocument = z.strictObject({
  id: z.string(),
  kind: z.literal('quarantine'),
  /** The claimed sender, or `unknown`. */
  source: z.string(),
  code: z.enum([
    'badSignature',
    'unknownSender',
    'foreignSender',
    'unknownType',
    'brokenBody',
    'unknownWorkload',
    'revokedSender',
    'poisoned',
  ]),
  reason: z.string(),
  receivedAt: Instant,
  messageId: z.string(),
  sessionId: z.string().optional(),
  deliveryCount: z.int().nonnegative(),
  body: z.string().describe('the message as received, cut at 16 kB'),
});
export type QuarantineDocument = z.infer<typeof QuarantineDocument>;
