import { z } from 'zod';
import { defineActivity, patientRetry } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import { GateName, gatePolicy } from '../../shared/model/gate.ts';
import { durationMs, shortest } from '../../shared/policy/duration.ts';

/** Opens a gate of the plan, or says that the plan asks for none. */
export const openGate = defineActivity({
  name: 'openGate',
  input: z.strictObject({
    waveId: z.string(),
    groupId: z.string().optional(),
    workloadIds: z.array(z.string()),
    name: GateName,
    question: z.string(),
    gateId: z.string(),
    operationId: z.string(),
    within: z.string().optional(),
  }),
  output: z.strictObject({ required: z.boolean() }),
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadIds, name, question, gateId, operationId, within, ...asked }) {
    const wave = await store.waves.get(waveId);
    if (wave === undefined)
      throw terminal('notFound', `Wave ${waveId} is not in the store.`, 'Check that nobody deleted it.');
    const policy = gatePolicy(wave.plan.gates, name);
    if (policy?.required !== true) return { required: false };
    const [first] = asked.groupId === undefined ? await store.workloads.some(waveId, workloadIds.slice(0, 1)) : [];
    const { groupId = first?.plan.groupId } = asked;
    const openedAt = now();
    const limit = shortest([within, policy.expiresAfter]);
    const expiresAt =
      limit === undefined ? {} : { expiresAt: new Date(Date.parse(openedAt) + durationMs(limit)).toISOString() };
    await store.gates.open({
      id: gateId,
      kind: 'gate',
      waveId,
      ...(groupId === undefined ? {} : { groupId }),
      name,
      question,
      workloadIds,
      policy,
      requester: wave.startedBy ?? wave.createdBy,
      status: 'open',
      openedAt,
      ...expiresAt,
      decisions: [],
      delegations: [],
      comments: [],
      operationId,
    });
    return { required: true };
  },
});

/** Closes a gate that nobody needs to answer any more; one that people have decided stays as they left it. */
export const withdrawGate = defineActivity({
  name: 'withdrawGate',
  input: z.strictObject({ waveId: z.string(), gateId: z.string() }),
  output: z.strictObject({ withdrawn: z.boolean() }),
  retry: patientRetry,
  async effect({ store }, { waveId, gateId }) {
    const { status } = await store.gates.change(waveId, gateId, (gate) =>
      gate.status === 'open' ? { ...gate, status: 'withdrawn' } : undefined,
    );
    return { withdrawn: status === 'withdrawn' };
  },
});
