import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { listenFor } from '../shared/durable/waits.ts';
import { terminal } from '../shared/errors.ts';
import type { Act } from '../shared/model/byHand.ts';
import type { GateName } from '../shared/model/gate.ts';
import { openGate, withdrawGate } from './gates/activities.ts';

const Decided = z.looseObject({
  data: z.looseObject({
    status: z.enum(['approved', 'rejected', 'expired']),
    approved: z.array(z.string()).default([]),
    decisions: z.array(z.looseObject({ by: z.string(), decision: z.string(), comment: z.string() })),
  }),
});
export interface GateResult {
  status: 'notRequired' | 'approved' | 'rejected' | 'expired' | 'left';
  /** The workloads that may go on: all that were asked about, unless the gate takes partial approvals. */
  approved: string[];
  decisions: { by: string; decision: string; comment: string }[];
}

interface Gate {
  waveId: string;
  /** The group that asks; a step of the environment has none. */
  groupId?: string;
  workloadIds: string[];
  name: GateName;
  question: string;
  /** The wave's. */
  attempt: number;
  /** Tells repeated questions of one orchestration apart. */
  turn: number;
  within?: string;
}

/** Asks people and waits for as long as it takes, or until `leave` says so after an order: then the gate is withdrawn. */
export function* passGate(ctx: Ctx, { attempt, turn, ...asked }: Gate, leave = () => false): Flow<GateResult> {
  const { waveId, groupId, workloadIds, name } = asked;
  const gateId = `gate.${groupId ?? 'environment'}.${name.replace(':', '.')}.${attempt}-${turn}`;
  return yield* ask(
    ctx,
    { waveId, workloadIds, gateId, operationId: ctx.operationId('gate', name, turn) },
    asked,
    leave,
  );
}

/** Asks whether staged points may be deleted: long after the commit, and without limit. */
export function passGateAfterwards(
  ctx: Ctx,
  asked: { waveId: string; groupId: string; workloadIds: string[]; question: string },
  gateId: string,
): Flow<GateResult> {
  const { waveId, workloadIds } = asked;
  const operationId = ctx.operationId('gate', 'decommission');
  return ask(ctx, { waveId, workloadIds, gateId, operationId }, { ...asked, name: 'decommission' });
}

/** Asks at the gate that stands before a step, if the wave has one; throws `gateRejected` unless it is approved. */
export function* passGateBefore(
  ctx: Ctx,
  step: { name: string; subject: { waveId: string; groupId?: string; workloadIds: string[] }; operationId: string },
): Flow<void> {
  const { name: stepName, subject, operationId } = step;
  const gateId = `gate.${operationId.replace(/[:/\\?#]/g, '.')}`;
  const about = subject.workloadIds.length === 0 ? '' : ` for ${subject.workloadIds.join(', ')}`;
  const question = `Take step ${stepName}${about}?`;
  const { waveId, workloadIds } = subject;
  const asked = { ...subject, name: `before:${stepName}` as GateName, question };
  const { status } = yield* ask(ctx, { waveId, workloadIds, gateId, operationId: `${operationId}:gate` }, asked);
  if (status === 'approved' || status === 'notRequired') return;
  throw terminal(
    'gateRejected',
    `The gate before step ${stepName} was ${status}${about}.`,
    'Settle what stands against it, then retry to ask again; or roll back.',
  );
}

/** Asks people to confirm what they have done where no host can be asked. */
export function* passGateByHand(
  ctx: Ctx,
  asked: Pick<Gate, 'waveId' | 'workloadIds' | 'question' | 'within'> & {
    act: Act;
    gateId: string;
    operationId: string;
  },
): Flow<GateResult> {
  const { act, gateId, operationId, ...about } = asked;
  return yield* ask(ctx, { ...about, gateId, operationId: `${operationId}:gate` }, { ...about, name: `byHand:${act}` });
}

function* ask(
  ctx: Ctx,
  {
    waveId,
    workloadIds,
    gateId,
    operationId,
  }: { waveId: string; workloadIds: string[]; gateId: string; operationId: string },
  asked: Omit<Gate, 'attempt' | 'turn'>,
  leave = () => false,
): Flow<GateResult> {
  const { required } = yield* openGate.call(ctx, { ...asked, gateId, operationId });
  if (!required) return { status: 'notRequired', approved: workloadIds, decisions: [] };
  const decision = listenFor(ctx, operationId, Decided);
  try {
    const decided = yield* decision(leave);
    if (decided !== undefined) return decided.data;
    const { withdrawn } = yield* withdrawGate.call(ctx, { waveId, gateId });
    if (withdrawn) return { status: 'left', approved: [], decisions: [] };
    // People decided first: what they said counts, and is on its way.
    return (yield* decision())?.data ?? { status: 'expired', approved: [], decisions: [] };
  } catch (error) {
    if (error instanceof Interrupted) yield* withdrawGate.call(ctx, { waveId, gateId });
    throw error;
  }
}
