import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { ServiceState } from '../../../shared/protocol/events.ts';
import { commandServices, describeSource } from '../../commands.ts';
import { enterPhase, recordStep } from '../../journal/activities.ts';
import { precheckActions } from '../11-post-cutover/activities.ts';
import { type Go, goNoGo } from './activities.ts';

/**
 * Step 9: go or no-go, then the services stop in reverse dependency order and no longer start by themselves; which of them
 * ran, and how each starts, is remembered.
 */
export const stopServices = defineStep({
  number: 9,
  name: 'stopServices',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: z.strictObject({ services: z.array(ServiceState) }),
  output: z.strictObject({ before: z.array(ServiceState), after: z.array(ServiceState) }),
  *capture(ctx, workload, attempt) {
    const { services } = yield* describeSource(ctx, workload, 'beforeStop', attempt);
    return { services };
  },
  *precheck(ctx, workload, { services }) {
    const unclear = services.filter(({ startMode }) => startMode === 'unknown').map(({ name }) => name);
    if (unclear.length > 0)
      throw terminal(
        'serviceFailed',
        `${workload.workloadId} does not say how ${unclear.join(', ')} starts, so that could not be put back.`,
        'Mend its start mode command (show) on the source, then retry; or roll back.',
      );
    // What would keep step 11 from its end is better found while the source serves.
    const asked = { waveId: workload.waveId, workloadIds: [workload.workloadId], leaveOut: [] };
    const actions = yield* precheckActions.call(ctx, asked);
    return { go: true, actions, ...(yield* requireGo(ctx, workload)) };
  },
  *run(ctx, { waveId, workloadId }, { services }, attempt) {
    const workload = { waveId, workloadId };
    const operationId = ctx.operationId('stop', workloadId, attempt);
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId,
      phase: 'stoppingServices',
      reason: 'the cutover begins',
    });
    // The journal may have been away meanwhile; and the command itself is not carried out after the latest safe start.
    const { notAfter } = yield* requireGo(ctx, workload);
    yield* recordStep.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId,
      what: { type: 'landfall.downtime.began', data: { at: ctx.now() } },
    });
    const stop = { command: 'stop', notAfter } as const;
    const after = services.length === 0 ? [] : yield* commandServices(ctx, workload, stop, services, attempt);
    return { before: services, after };
  },
  *verify(ctx, workload, _output, attempt) {
    const { services } = yield* describeSource(ctx, workload, 'afterStop', attempt);
    const running = services.filter(({ state }) => state === 'running').map(({ name }) => name);
    if (running.length > 0)
      throw terminal(
        'serviceFailed',
        `${running.join(', ')} of ${workload.workloadId} runs again after it was stopped.`,
        'Find what starts it (a cluster manager, a timer), keep that from it, then retry; or roll back.',
      );
    const armed = services.filter(({ startMode }) => startMode === 'automatic').map(({ name }) => name);
    if (armed.length > 0)
      throw terminal(
        'serviceFailed',
        `${armed.join(', ')} of ${workload.workloadId} is stopped, and would start again with its machine.`,
        'Find what sets its start mode (a configuration manager), keep that from it, then retry; or roll back.',
      );
    return { services };
  },
  *undo(ctx, { waveId, workloadId }, { services }) {
    const changed = services.filter(({ state, startMode }) => state === 'running' || startMode === 'automatic');
    if (changed.length > 0)
      yield* commandServices(ctx, { waveId, workloadId }, { command: 'start' }, changed, 'undo', ctx.now());
    yield* recordStep.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId: ctx.operationId('serving', workloadId),
      what: { type: 'landfall.downtime.ended', data: { at: ctx.now() } },
    });
  },
  todo: ({ workloadId }, { services }) =>
    services.flatMap(({ name, state, startMode }) => [
      ...(startMode === 'automatic'
        ? [`let the service ${name} start automatically on the source of ${workloadId}`]
        : []),
      ...(state === 'running' ? [`start the service ${name} on the source of ${workloadId}`] : []),
    ]),
});

function* requireGo(ctx: Ctx, workload: { waveId: string; workloadId: string }): Flow<Omit<Go, 'refusal'>> {
  const { refusal, ...go } = yield* goNoGo.call(ctx, workload);
  if (refusal !== undefined) throw terminal(refusal.code, refusal.message, refusal.suggestion);
  return go;
}
