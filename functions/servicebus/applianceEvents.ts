// What appliances report. One batch is one session: verified, parsed, folded into its workload in one commit. What can't
// be accepted goes to quarantine and its neighbours go on; what can't be stored throws, and the messages stay.
import type { JWK } from 'jose';
import type { Capabilities } from '../../shared/capabilities.ts';
import { MigrationError } from '../../shared/errors.ts';
import { reported, type WorkloadEvent } from '../../shared/lifecycle/events.ts';
import { applianceIds, type WorkloadPlan } from '../../shared/model/plan.ts';
import { type ApplianceEvent, parseApplianceEvent } from '../../shared/protocol/events.ts';
import { claimedSender, verifyEvent } from '../../shared/protocol/signing.ts';
import type { ApplianceDocument, QuarantineDocument } from '../../shared/store/documents.ts';
import { isOfAppliance, isOfWorkload } from './answers.ts';
import { ownEvents } from './ownEvents.ts';
import { quarantined, type Received, textOf } from './quarantine.ts';

type Reach = Pick<Capabilities, 'store' | 'now' | 'config'>;
type Refusal = Pick<QuarantineDocument, 'source' | 'code' | 'reason'>;
interface Accepted {
  received: Received;
  event: ApplianceEvent;
}

const eventsPerCommit = 99;

/** Handles one batch. Resolves when everything is stored: then the messages may be settled. */
export async function applianceEvents(reach: Reach, batch: readonly Received[]): Promise<void> {
  const { store, now } = reach;
  const refuse = async (received: Received, why: Refusal) => store.quarantine.put(quarantined(received, why, now()));
  const senders = new Map<string, ApplianceDocument | undefined>();
  const sender = async (id: string) => {
    if (!senders.has(id)) senders.set(id, await store.appliances.get(id));
    return senders.get(id);
  };

  const own = new Map<string, ApplianceEvent[]>();
  const workloads = new Map<string, Accepted[]>();
  for (const received of batch) {
    const verdict = await verify(received, sender);
    if ('refusal' in verdict) {
      await refuse(received, verdict.refusal);
      continue;
    }
    const { event } = verdict;
    if (event.subject === event.source) own.set(event.source, [...(own.get(event.source) ?? []), event]);
    else workloads.set(event.subject, [...(workloads.get(event.subject) ?? []), { received, event }]);
  }
  for (const [applianceId, events] of own) await ownEvents(reach, applianceId, events);
  for (const [subject, accepted] of workloads) await workloadEvents(reach, subject, accepted, refuse);
}

const aboutAppliances: ReadonlySet<string> = new Set([
  'landfall.appliance.heartbeat',
  'landfall.appliance.stopping',
  'landfall.worker.verified',
]);
const aboutEither: ReadonlySet<string> = new Set(['landfall.command.failed']);

/** Whose message it is, whether it is whole, and whether it speaks of what its type may speak of. */
async function verify(
  { body }: Received,
  sender: (id: string) => Promise<ApplianceDocument | undefined>,
): Promise<{ event: ApplianceEvent } | { refusal: Refusal }> {
  const jws = textOf(body);
  const source = claimedSender(jws);
  if (source === undefined)
    return { refusal: { source: 'unknown', code: 'brokenBody', reason: 'the body is no signed event' } };
  const refusal = (code: Refusal['code'], reason: string) => ({
    refusal: { source: source.slice(0, 100), code, reason },
  });
  const appliance = await sender(source);
  if (appliance?.status === 'revoked') return refusal('revokedSender', 'the appliance is revoked');
  if (appliance?.publicKey === undefined) return refusal('unknownSender', 'no appliance of this name is enrolled');
  let payload: unknown;
  try {
    payload = await verifyEvent(jws, appliance.publicKey as JWK);
  } catch (error) {
    return error instanceof SyntaxError
      ? refusal('brokenBody', 'the signed payload is no JSON')
      : refusal('badSignature', 'the signature is not the one of the appliance’s key');
  }
  const parsed = parseApplianceEvent(payload);
  if ('problem' in parsed) return refusal(parsed.problem.code, parsed.problem.message);
  const { event } = parsed;
  if (event.source !== source) return refusal('foreignSender', `the event says it is from ${event.source}`);
  const ofWorkload = event.subject.includes('/');
  if (!ofWorkload && event.subject !== source) return refusal('foreignSender', `the event is about ${event.subject}`);
  if (!aboutEither.has(event.type) && aboutAppliances.has(event.type) === ofWorkload)
    return refusal('brokenBody', `${event.type} cannot be about ${event.subject}`);
  if (!ofWorkload && !isOfAppliance(source, event.operationid))
    return refusal('foreignSender', `${source} was not asked to do ${event.operationid}`);
  return { event };
}

async function workloadEvents(
  { store, now }: Reach,
  subject: string,
  accepted: readonly Accepted[],
  refuse: (received: Received, why: Refusal) => Promise<void>,
): Promise<void> {
  const [waveId = '', workloadId = ''] = subject.split('/');
  const workload = await store.workloads.get(waveId, workloadId);
  const events: WorkloadEvent[] = [];
  for (const { received, event } of accepted) {
    const { source } = event;
    if (workload === undefined)
      await refuse(received, { source, code: 'unknownWorkload', reason: `there is no workload ${subject}` });
    else if (source !== workload.plan.applianceId && !isFromTarget(workload.plan, event))
      await refuse(received, {
        source,
        code: 'foreignSender',
        reason: `${subject} is assigned to ${workload.plan.applianceId}`,
      });
    else if (!isOfWorkload(workload.plan, event.operationid))
      await refuse(received, {
        source,
        code: 'foreignSender',
        reason: `${event.operationid} is no operation of ${subject}`,
      });
    else events.push(reported(event, now()));
  }
  for (let from = 0; from < events.length; from += eventsPerCommit) {
    const { illegal } = await store.workloads.append(waveId, workloadId, events.slice(from, from + eventsPerCommit));
    const [first] = illegal;
    // Reports are facts and never illegal; should one be, it must not be lost silently.
    if (first !== undefined)
      throw new MigrationError({
        code: 'illegalTransition',
        kind: 'terminal',
        message: `${subject}: ${first.reason}`,
        suggestion: 'Read the workload’s events.',
      });
  }
}

/** What the target appliance may say of a workload that others replicate: what it was asked to do for it. */
const fromTarget: ReadonlySet<string> = new Set([
  'landfall.check.completed',
  'landfall.probe.completed',
  'landfall.agent.installed',
  'landfall.agent.removed',
  'landfall.agent.failed',
  'landfall.command.failed',
]);

function isFromTarget({ environmentId }: WorkloadPlan, { source, type }: ApplianceEvent): boolean {
  return source === applianceIds.target(environmentId) && fromTarget.has(type);
}
