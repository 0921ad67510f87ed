// Source off and on again where no host can be asked: people do it, and what is seen of the machine is held against them.
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { answeringPorts, believeOrAsk, byPeople, looksOff, looksOn, type Port } from '../../byHand.ts';
import { inspectMachine, type MachineState } from './activities.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}
type Before = MachineState & { ports?: Port[] | undefined };

/**
 * The machine before anything is asked of people. Step 9 has just worked on it: unless they have confirmed that it is off,
 * it is on.
 */
export function* captureByHand(ctx: Ctx, workload: Workload, machine: MachineState, attempt: number): Flow<Before> {
  if (machine.told?.power === 'off') return machine;
  const ports = yield* answeringPorts(ctx, workload, 'before', attempt);
  return { ...machine, power: 'on', nicConnected: true, ports };
}

/**
 * Asks people to switch the machine off and, once it looks as if it were, to take it off the network, as far as they have
 * not confirmed that yet: what is off the network cannot be seen any more. Who has not confirmed it at `notAfter` is not
 * waited for.
 */
export function* offByHand(
  ctx: Ctx,
  workload: Workload,
  { ports = [] }: Before,
  notAfter: string | undefined,
): Flow<void> {
  const { subject, source, told } = yield* whatIsTold(ctx, workload);
  if (told?.power !== 'off') {
    const off = `Shut ${source} down and see that it is off.`;
    const { at } = yield* byPeople(ctx, 'powerOff', subject, workload.workloadId, off, notAfter);
    yield* believeOrAsk(ctx, 'powerOff', workload, yield* looksOff(ctx, workload, at, ports), 'shutdownRefused');
  }
  if (told?.network === 'disconnected') return;
  yield* byPeople(ctx, 'disconnect', subject, workload.workloadId, `Take ${source} off the network.`);
}

/** Asks people to put it back, if they were asked to take it away: they may have, whether or not they said so. */
export function* onByHand(ctx: Ctx, workload: Workload, { power, ports = [] }: Before): Flow<void> {
  const { subject, source, told } = yield* whatIsTold(ctx, workload);
  if (told?.network !== 'connected')
    yield* byPeople(ctx, 'connect', subject, workload.workloadId, `Connect ${source} to its network.`);
  if (told?.power === 'on' || power === 'off') return;
  const on = `Power ${source} on and see that it has come up.`;
  const { askedAt } = yield* byPeople(ctx, 'powerOn', subject, workload.workloadId, on);
  yield* believeOrAsk(ctx, 'powerOn', workload, yield* looksOn(ctx, workload, askedAt, ports), 'sourceUnreachable');
}

function* whatIsTold(ctx: Ctx, workload: Workload) {
  const { told } = yield* inspectMachine.call(ctx, workload);
  const { waveId, workloadId } = workload;
  return { subject: { waveId, workloadIds: [workloadId] }, source: `the source of ${workloadId}`, told };
}
