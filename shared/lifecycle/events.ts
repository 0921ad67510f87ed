// Everything that can happen to a workload, as one union: what appliances report and what the platform decides.
import { z } from 'zod';
import { Failure } from '../errors.ts';
import { Answer, Choice, Part } from '../model/attention.ts';
import { Act } from '../model/byHand.ts';
import { Instant } from '../model/ids.ts';
import { ProbeResult } from '../model/probe.ts';
import type { ApplianceEvent } from '../protocol/events.ts';
import { actionEventData } from './actions.ts';
import { effectEventData } from './effects.ts';
import { Phase } from './phases.ts';
import { ttlEventData } from './ttl.ts';

const Checked = z.strictObject({ before: z.unknown().optional(), after: z.unknown().optional() });
/** Whose decision it is, and why. */
const Given = { by: z.string(), reason: z.string() };
/** One look at the isolation of a workload's clones: at the rules before they boot, then with probes as well. */
export const IsolationProof = z.strictObject({
  of: z.string(),
  when: z.enum(['beforeBoot', 'booted', 'tested']),
  isolated: z.boolean(),
  reasons: z.array(z.string()).describe('what stands against it'),
  rules: z.array(z.string()),
  probes: z.array(
    z.strictObject({
      name: z.string(),
      verdict: z.enum(['held', 'broken', 'notRun', 'leftOut']),
      detail: z.string(),
    }),
  ),
});
export type IsolationProof = z.infer<typeof IsolationProof>;
const Sync = { syncId: z.string(), kind: z.enum(['initial', 'delta', 'final']) };

export const platformEventData = {
  // `version` is the version of the wave's plan; the first one has none.
  'landfall.workload.registered': z.strictObject({
    groupId: z.string(),
    planHash: z.string(),
    version: z.int().optional(),
  }),
  'landfall.workload.replanned': z.strictObject({
    groupId: z.string(),
    planHash: z.string(),
    version: z.int(),
    reason: z.string(),
  }),
  'landfall.workload.unregistered': z.strictObject({
    version: z.int(),
    reason: z.string(),
    movedTo: z.string().optional(),
  }),
  'landfall.workload.phaseEntered': z.strictObject({
    phase: z.enum(Phase),
    reason: z.string(),
    heldIn: z
      .int()
      .optional()
      .describe('attempt of the wave that it is held in: it does not cut over in that any more'),
  }),
  'landfall.workload.attentionRaised': z.strictObject({
    attentionId: z.string(),
    step: z.string(),
    during: Part.optional(),
    failure: Failure,
    choices: z.array(Choice),
  }),
  'landfall.workload.attentionAnswered': Answer.pick({ choice: true, reason: true, changed: true }).extend({
    attentionId: z.string(),
  }),
  'landfall.workload.paused': z.strictObject({ ...Given, deltas: z.enum(['goOn', 'stop']) }),
  'landfall.workload.resumed': z.strictObject(Given),
  'landfall.workload.left': z.strictObject({ ...Given, attempt: z.int().describe('of the wave') }),
  'landfall.workload.wayBackChanged': z.strictObject({
    may: z.enum(['free', 'acceptDataLoss', 'none']).describe('what a rollback takes from now on'),
    was: z.enum(['free', 'acceptDataLoss', 'none']),
  }),
  'landfall.step.started': z.strictObject({
    step: z.string(),
    attempt: z.int(),
    /** Changed input, for this attempt only, and whose word it is. */
    changed: z.unknown().optional(),
    by: z.string().optional(),
  }),
  'landfall.step.completed': z.strictObject({
    step: z.string(),
    attempt: z.int(),
    evidence: z.unknown(),
    /** What the looks before and after the work have seen. */
    checked: Checked.optional(),
  }),
  'landfall.step.skipped': z.strictObject({ step: z.string(), attempt: z.int(), evidence: z.unknown(), ...Given }),
  'landfall.step.failed': z.strictObject({
    step: z.string(),
    attempt: z.int(),
    during: Part.optional(),
    failure: Failure,
  }),
  'landfall.step.undone': z.strictObject({
    step: z.string(),
    byHand: z.strictObject(Given).optional(),
    reason: z.string().optional(),
  }),
  'landfall.step.undoFailed': z.strictObject({ step: z.string(), failure: Failure }),
  'landfall.sync.queued': z.strictObject({
    ...Sync,
    syncOperationId: z.string(),
    applianceId: z.string(),
    reason: z.string().optional(),
  }),
  'landfall.sync.dispatched': z.strictObject({ ...Sync, attempt: z.int().positive(), reason: z.string() }),
  'landfall.sync.stalled': z.strictObject({ ...Sync, silentSeconds: z.number() }),
  'landfall.sync.fellBehind': z.strictObject({ lagSeconds: z.number(), rpo: z.string() }),
  'landfall.sync.withdrawn': z.strictObject({ ...Sync, reason: z.string() }),
  'landfall.sync.paused': z.strictObject({ reason: z.string() }),
  'landfall.sync.unpaused': z.strictObject({ reason: z.string() }),
  'landfall.validation.judged': z.strictObject({
    turn: z.int(),
    verdict: z.enum(['passed', 'failed', 'silent']),
    results: z.array(
      z.strictObject({
        name: z.string(),
        passed: z.boolean(),
        silent: z.boolean(),
        tries: z.int(),
        detail: z.string(),
      }),
    ),
  }),
  /** Where production names lead before any clone of this try has booted. */
  'landfall.isolation.noted': z.strictObject({ names: z.array(ProbeResult) }),
  /** What rules and probes say of a workload's clones: `of` tells one set of clones from the next. */
  'landfall.isolation.judged': IsolationProof,
  'landfall.machine.launched': z.strictObject({
    purpose: z.enum(['test', 'cutover']),
    importSeconds: z.number().nonnegative(),
    bootSeconds: z.number().nonnegative(),
  }),
  'landfall.byHand.asked': z.strictObject({ act: Act, gateId: z.string() }),
  'landfall.byHand.confirmed': z.strictObject({
    act: Act,
    gateId: z.string(),
    by: z.array(z.strictObject({ by: z.string(), comment: z.string() })),
  }),
  /** What appliances see of what people have confirmed; what does not fit is not believed. */
  'landfall.byHand.seen': z.strictObject({
    act: Act,
    seen: z.array(z.strictObject({ name: z.string(), fits: z.boolean(), detail: z.string() })),
  }),
  /** After a commit: when people are asked whether sources and staged points may go. */
  'landfall.decommission.scheduled': z.strictObject({ dueAt: Instant, reason: z.string() }),
  /** The staged points are gone, by whose word; the source may be removed by hand. */
  'landfall.points.deleted': z.strictObject({ by: z.array(z.string()), reason: z.string() }),
  'landfall.downtime.began': z.strictObject({ at: Instant }),
  'landfall.downtime.ended': z.strictObject({ at: Instant }),
  ...actionEventData,
  ...ttlEventData,
  ...effectEventData,
} as const;
export type PlatformEventType = keyof typeof platformEventData;

interface Common {
  /** Unique per workload: the deduplication key. */
  id: string;
  time: string;
  /** The appliance id, `platform`, or `user:{name}`. */
  source: string;
  operationId?: string | undefined;
  sequence?: number | undefined;
  /** The platform's time when a report arrived: an appliance's clock may be wrong. */
  receivedAt?: string | undefined;
}

export type PlatformEvent = {
  [T in PlatformEventType]: Common & { type: T; data: z.infer<(typeof platformEventData)[T]> };
}[PlatformEventType];
export type ReportedEvent = ApplianceEvent extends infer E
  ? E extends ApplianceEvent
    ? Common & { type: E['type']; data: E['data'] }
    : never
  : never;
export type WorkloadEvent = PlatformEvent | ReportedEvent;

/** An appliance's event in the workload's own form. */
export function reported(event: ApplianceEvent, receivedAt: string): ReportedEvent {
  const { id, time, source, sequence, operationid, type, data } = event;
  return { id, time, source, sequence, operationId: operationid, receivedAt, type, data } as ReportedEvent;
}
