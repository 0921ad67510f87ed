import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { waitUntil } from '../shared/durable/waits.ts';
import { openGate, withdrawGate } from './gates/activities.ts';

const Decided = z.looseObject({
  data: z.looseObject({
    status: z.enum(['approved', 'rejected', 'expired']),
    decisions: z.array(z.looseObject({ by: z.string(), decision: z.string(), comment: z.string() })),
  }),
});
export interface GateResult {
  status: 'notRequired' | 'approved' | 'rejected' | 'expired';
  decisions: { by: string; decision: string; comment: string }[];
}

/** Asks people and waits for as long as it takes. `turn` tells repeated questions of one group apart. */
export function* passGate(
  ctx: Ctx,
  gate: {
    waveId: string;
    groupId: string;
    name: 'uat' | 'cutover' | 'commit';
    question: string;
    attempt: number;
    turn: number;
    within?: string;
  },
): Flow<GateResult> {
  const { attempt, turn, ...asked } = gate;
  const gateId = `gate.${gate.groupId}.${gate.name}.${attempt}-${turn}`;
  const operationId = ctx.operationId('gate', gate.name, turn);
  const { required } = yield* openGate.call(ctx, { ...asked, gateId, operationId });
  if (!required) return { status: 'notRequired', decisions: [] };
  try {
    const decided = yield* waitUntil(ctx, operationId, Decided, undefined);
    return decided?.data ?? { status: 'expired', decisions: [] };
  } catch (error) {
    if (error instanceof Interrupted) yield* withdrawGate.call(ctx, { waveId: gate.waveId, gateId });
    throw error;
  }
}
