// What people do where no host can be asked. Each act is a gate of its own, written down when it is asked and when it is
// confirmed; what can be seen of the machine is held against their word.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { backOff } from '../shared/durable/waits.ts';
import { terminal } from '../shared/errors.ts';
import type { Act } from '../shared/model/byHand.ts';
import { msBetween, plusMs } from '../shared/policy/duration.ts';
import type { CheckResult } from '../shared/protocol/events.ts';
import { watchSource } from './byHand/activities.ts';
import { checkFromInside } from './commands.ts';
import { passGateByHand } from './gate.ts';
import { recorder } from './saga.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}
export interface Port {
  host: string;
  port: number;
}
interface Seen {
  name: string;
  fits: boolean;
  detail: string;
}

const comesBackWithinMs = 600_000;
const portsAnswerWithin = 'PT5M';

/** When something was asked for and when it was confirmed, ISO 8601. */
export interface Confirmed {
  askedAt: string;
  at: string;
}

/**
 * Asks people to do one thing and waits until they confirm it. `what` says what to do, in a sentence. Throws
 * `gateRejected` if they will not, or if the gate's time is over: at `notAfter` at the latest, `windowClosed` after it.
 */
export function* byPeople(
  ctx: Ctx,
  act: Act,
  subject: { waveId: string; workloadIds: string[] },
  key: string,
  what: string,
  notAfter?: string,
): Flow<Confirmed> {
  const operationId = ctx.operationId('byHand', act, key, ctx.nextCount(`byHand:${act}:${key}`));
  const record = recorder(ctx, subject, operationId);
  const gateId = `gate.${operationId.replace(/[:/\\?#]/g, '.')}`;
  const askedAt = ctx.now();
  const secondsLeft = notAfter === undefined ? undefined : Math.floor(msBetween(askedAt, notAfter) / 1000);
  if (secondsLeft !== undefined && secondsLeft <= 0)
    throw terminal(
      'windowClosed',
      `The latest safe start, ${notAfter}, has passed: people are not asked any more. ${what}`,
      'Go on past the window, or roll back.',
    );
  yield* record({ type: 'landfall.byHand.asked', data: { act, gateId } });
  const question = `${what} Then confirm that it is done.`;
  const { status, decisions } = yield* passGateByHand(ctx, {
    ...subject,
    ...{ act, question, gateId, operationId },
    ...(secondsLeft === undefined ? {} : { within: `PT${secondsLeft}S` }),
  });
  if (status !== 'approved')
    throw terminal(
      'gateRejected',
      `Nobody has confirmed what was asked at gate ${gateId}, which is ${status}: ${what}`,
      'Do it, or settle what stands against it; then retry to be asked again.',
      decisions.map(({ by, comment }) => `${by}: ${comment}`).join('; '),
    );
  const by = decisions.map((each) => ({ by: each.by, comment: each.comment }));
  yield* record({ type: 'landfall.byHand.confirmed', data: { act, gateId, by } });
  return { askedAt, at: ctx.now() };
}

/** The ports of a source that answer the target appliance now: whether they still do says something later. */
export function* answeringPorts(ctx: Ctx, workload: Workload, ...key: (string | number)[]): Flow<Port[]> {
  const { ports } = yield* watchSource.call(ctx, { ...workload, since: ctx.now() });
  const results = yield* knock(ctx, workload, ports, 'open', ...key);
  return ports.filter((port) => results?.some(({ name, passed }) => passed && name === nameOf(port)));
}

/** Whether a machine looks as if it were off since `at`: its agent silent, the ports closed that had answered. */
export function* looksOff(ctx: Ctx, workload: Workload, at: string, ports: Port[]): Flow<Seen[]> {
  const { agent } = yield* watchSource.call(ctx, { ...workload, since: at });
  const turn = ctx.nextCount('looksOff');
  const results = yield* knock(ctx, workload, ports, 'closed', 'off', turn);
  const knocked = seenAt(ports, results);
  if (agent === null) return knocked;
  // Once a heartbeat for what was under way, and once for the one that must not follow.
  const until = plusMs(at, 2 * agent.everySeconds * 1000);
  if (until > ctx.now()) yield* backOff(ctx, Date.parse(until) - Date.parse(ctx.now()));
  const since = plusMs(at, agent.everySeconds * 1000);
  const heard = (yield* watchSource.call(ctx, { ...workload, since })).agent;
  const fits = heard?.heard !== true;
  return [{ name: 'agent', fits, detail: `last heard at ${heard?.at ?? 'no time'}` }, ...knocked];
}

/** Whether a machine looks as if it were on again since `askedAt`: waits for its agent and for its ports. */
export function* looksOn(ctx: Ctx, workload: Workload, askedAt: string, ports: Port[]): Flow<Seen[]> {
  const giveUp = Date.parse(ctx.now()) + comesBackWithinMs;
  for (let poll = 0; ; poll++) {
    const { agent } = yield* watchSource.call(ctx, { ...workload, since: askedAt });
    const over = Date.parse(ctx.now()) >= giveUp;
    if (agent === null || agent.heard || over) {
      const turn = ctx.nextCount('looksOn');
      const knocked = seenAt(ports, yield* knock(ctx, workload, ports, 'open', 'on', turn));
      if (agent === null) return knocked;
      return [{ name: 'agent', fits: agent.heard, detail: `last heard at ${agent.at ?? 'no time'}` }, ...knocked];
    }
    yield* backOff(ctx, Math.min(30_000, 1000 * 2 ** poll));
  }
}

/** Writes down what was seen; throws `code` where that contradicts what people have confirmed. */
export function* believeOrAsk(
  ctx: Ctx,
  act: Act,
  { waveId, workloadId }: Workload,
  seen: Seen[],
  code: 'shutdownRefused' | 'sourceUnreachable' | 'applianceFailed',
): Flow<void> {
  if (seen.length === 0) return;
  const operationId = ctx.operationId('seen', act, workloadId, ctx.nextCount(`seen:${act}:${workloadId}`));
  const record = recorder(ctx, { waveId, workloadIds: [workloadId] }, operationId);
  yield* record({ type: 'landfall.byHand.seen', data: { act, seen } });
  const against = seen.filter(({ fits }) => !fits).map(({ name, detail }) => `${name} (${detail})`);
  if (against.length > 0)
    throw terminal(
      code,
      `It was confirmed for ${workloadId}, but what is seen of it says otherwise: ${against.join(', ')}.`,
      'Look at the machine, then retry to be asked again.',
    );
}

function* knock(
  ctx: Ctx,
  workload: Workload,
  ports: Port[],
  expect: 'open' | 'closed',
  ...key: (string | number)[]
): Flow<CheckResult[] | undefined> {
  const checks = ports.map((port) => ({ kind: 'tcp' as const, name: nameOf(port), ...port, expect }));
  return yield* checkFromInside(ctx, workload, checks, portsAnswerWithin, 'byHand', ...key);
}

/** What was knocked at; where nobody has knocked, nothing was seen. */
function seenAt(ports: Port[], results: CheckResult[] | undefined): Seen[] {
  return ports.flatMap((port) => {
    const result = results?.find(({ name }) => name === nameOf(port));
    return result === undefined ? [] : [{ name: result.name, fits: result.passed, detail: result.detail }];
  });
}

function nameOf({ port }: Port): string {
  return `port ${port}`;
}
