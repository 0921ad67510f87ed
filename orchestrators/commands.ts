// A command to an appliance and its answer: the operation id leads the answer back to this very wait.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { type Span, waitFor, waitUntil } from '../shared/durable/waits.ts';
import { terminal } from '../shared/errors.ts';
import type { Probe, ProbeResult } from '../shared/model/probe.ts';
import type { Check } from '../shared/model/settings.ts';
import { durationMs, plusMs } from '../shared/policy/duration.ts';
import { applianceEventData, type CheckResult, type ServiceState } from '../shared/protocol/events.ts';
import { commandProbes, commandSource, commandTarget, servicesChangeWithin } from './commands/activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}

const Answer = z.looseObject({ type: z.string(), data: z.unknown() });
const Reason = z.looseObject({ code: z.string(), message: z.string(), suggestion: z.string() });

/** Waits for the answer of an appliance. Throws what it says where it could not do it. */
export function* answerTo(
  ctx: Ctx,
  operationId: string,
  within: Span,
  what: string,
): Flow<{ type: string; data: unknown }> {
  const answer = yield* waitFor(
    ctx,
    operationId,
    Answer,
    within,
    what,
    'Check that the appliance is healthy (GET /api/appliances), then retry.',
  );
  return notFailed(answer);
}

function notFailed(answer: z.infer<typeof Answer>): z.infer<typeof Answer> {
  if (!answer.type.endsWith('.failed')) return answer;
  const reason = Reason.parse(answer.data);
  const code = answer.type === 'landfall.services.failed' ? 'serviceFailed' : 'applianceFailed';
  throw terminal(code, reason.message, reason.suggestion, reason.code);
}

/** What the source really is, as its appliance sees it. */
export function* describeSource(
  ctx: Ctx,
  workload: Workload,
  ...key: (string | number)[]
): Flow<z.infer<(typeof applianceEventData)['landfall.source.described']>> {
  const operationId = ctx.operationId('describe', workload.workloadId, ...key);
  yield* commandSource.call(ctx, { ...workload, operationId, command: 'describe' });
  const answer = yield* answerTo(ctx, operationId, { minutes: 15 }, `the description of ${workload.workloadId}`);
  return applianceEventData['landfall.source.described'].parse(answer.data);
}

/**
 * Stops services, or starts those that ran, and returns their states afterwards; `services` says how they were before, so
 * that a start puts start modes back. Throws `serviceFailed` if one refuses. Not interruptible: a stop that is under way
 * while its undo starts the services would have the last word.
 */
export function* commandServices(
  ctx: Ctx,
  workload: Workload,
  { command, notAfter }: { command: 'stop' | 'start'; notAfter?: string | undefined },
  services: ServiceState[],
  ...key: (string | number)[]
): Flow<ServiceState[]> {
  const operationId = ctx.operationId(`${command}Services`, workload.workloadId, ...key);
  yield* commandSource.call(ctx, {
    ...workload,
    operationId,
    command,
    services: services.map(({ name }) => name),
    ...(command === 'start' && { before: services }),
    notAfter,
  });
  const answer = yield* ctx.shielded(
    answerTo(ctx, operationId, servicesChangeWithin, `the services of ${workload.workloadId} to ${command}`),
  );
  return applianceEventData['landfall.services.stopped'].parse(answer.data).services;
}

/** Looks from where the target appliance is. Who does not answer within that time (ISO 8601), or cannot, has not looked. */
export function* probeFromInside(ctx: Ctx, workload: Workload, probes: Probe[], within: string): Flow<ProbeResult[]> {
  if (probes.length === 0) return [];
  const operationId = ctx.operationId('probes', workload.workloadId);
  yield* commandProbes.call(ctx, { ...workload, operationId, probes });
  const answer = yield* waitUntil(ctx, operationId, Answer, plusMs(ctx.now(), durationMs(within)));
  const failed = answer?.type.endsWith('.failed') === true ? Reason.parse(answer.data).message : undefined;
  const detail = (failed ?? `the target appliance did not answer within ${within}`).slice(0, 500);
  const results =
    answer === undefined || failed !== undefined
      ? []
      : applianceEventData['landfall.probe.completed'].parse(answer.data).results;
  return probes.map(
    ({ name }) => results.find((each) => each.name === name) ?? { name, seen: 'notRun', answers: [], detail },
  );
}

/** Runs checks from the target appliance; undefined if it does not answer within that time (ISO 8601). */
export function* checkFromInside(
  ctx: Ctx,
  workload: Workload,
  checks: Check[],
  within: string,
  ...key: (string | number)[]
): Flow<CheckResult[] | undefined> {
  if (checks.length === 0) return [];
  const operationId = ctx.operationId('checks', workload.workloadId, ...key);
  yield* commandTarget.call(ctx, { ...workload, operationId, checks });
  const answer = yield* waitUntil(ctx, operationId, Answer, plusMs(ctx.now(), durationMs(within)));
  return answer && applianceEventData['landfall.check.completed'].parse(notFailed(answer).data).results;
}
